// Bundle the pages into dist/, and copy the two libraries that other packages serve as they are.
import { cp, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build, context } from "esbuild";

const web = dirname(fileURLToPath(import.meta.url));
const root = join(web, "..", "..");
const modules = join(root, "node_modules");
const dist = join(web, "dist");
const watch = process.argv.includes("--watch");

const options = {
  entryPoints: ["map", "wall", "edit", "import", "sign-in", "docs"].map((page) => join(web, "src", `${page}.ts`)),
  outdir: dist,
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

await rm(dist, { recursive: true, force: true });
await copy("swagger-ui-dist", join(dist, "swagger"), ["swagger-ui-bundle.js", "swagger-ui.css"]);
await copy("leaflet/dist", join(root, "static_maps", "dist"), ["leaflet.js", "leaflet.css", "images"]);
await cp(join(web, "src", "icon.svg"), join(dist, "icon.svg"));

if (watch) await (await context(options)).watch();
else await build(options);
