// A file may be dropped anywhere on the page.
import { element } from "../common/dom";
import { notice } from "./notice";
import { tell } from "./words";

function carriesFiles(event: DragEvent): boolean {
  return [...(event.dataTransfer?.types ?? [])].includes("Files");
}

export function acceptDrops(taken: (file: File) => void): void {
  const veil = element("div", { class: "veil", "aria-hidden": "true", hidden: true }, element("b", {}, tell("dropAnywhere")));
  document.body.append(veil);
  // Every element that is passed over is entered and left: only the outermost counts.
  let depth = 0;
  const show = (shown: boolean): void => {
    veil.hidden = !shown;
    if (!shown) depth = 0;
  };
  addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    depth += 1;
    show(true);
  });
  addEventListener("dragleave", () => {
    depth -= 1;
    if (depth <= 0) show(false);
  });
  addEventListener("dragover", (event) => {
    // Without this the browser opens the file in place of the page.
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    show(false);
    const items = [...(event.dataTransfer?.items ?? [])].filter((item) => item.kind === "file");
    const isFolder = items.some((item) => item.webkitGetAsEntry?.()?.isDirectory);
    const files = [...(event.dataTransfer?.files ?? [])];
    const file = files[0];
    if (!file || isFolder) notice(tell("notAFile"));
    else if (files.length > 1) notice(tell("oneFile"));
    else taken(file);
  });
}
