// Bundle the pages into dist/, and copy the two libraries that other packages serve as they are.
import { cp, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build, context } from "esbuild";

const web = dirname(fileURLToPath(import.meta.url));
const root = join(web, "..", "..");
const modules = join(root, "node_modules");
const dist = join(web, "dist");
const watch = process.argv.includes("--watch");
// A service that runs meanwhile has the old pages until the new ones are whole.
const made = watch ? dist : `${dist}.new`;

const options = {
  entryPoints: ["map", "wall", "edit", "import", "sign-in", "docs"].map((page) => join(web, "src", `${page}.ts`)),
  outdir: made,
  bundle: true,
  minify: !watch,
  sourcemap: watch,
  format: "iife",
  // Government PCs keep a browser for years: Chromium 87 is of 2020.
  target: ["chrome87", "firefox85"],
  charset: "utf8",
  legalComments: "linked",
  logLevel: "info",
};

async function copy(from, to, names) {
  await mkdir(to, { recursive: true });
  for (const name of names) await cp(join(modules, from, name), join(to, name), { recursive: true });
}

await rm(made, { recursive: true, force: true });
await copy("swagger-ui-dist", join(made, "swagger"), ["swagger-ui-bundle.js", "swagger-ui.css"]);
await copy("leaflet/dist", join(root, "static_maps", "dist"), ["leaflet.js", "leaflet.css", "images"]);
await cp(join(web, "src", "icon.svg"), join(made, "icon.svg"));

if (watch) await (await context(options)).watch();
else {
  await build(options);
  await rm(dist, { recursive: true, force: true });
  await rename(made, dist);
}
