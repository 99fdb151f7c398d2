// The small pictures of the layer switch and the legend.
import { translucent } from "../common/color";
import type { LayerEntry } from "../common/contract";
import { element } from "../common/dom";
import { presentation } from "./presentation";
import { symbol } from "./symbols";

const EDGE = 20;

/** How a layer, or one of its codes, looks on the map. */
export function swatch(layer: LayerEntry, code = "", color = layer.style.color): HTMLElement {
  const look = presentation(layer);
  const box = element("span", { class: "swatch", "aria-hidden": "true" });
  const isPoint = layer.geometry.endsWith("POINT") || layer.geometry === "GEOMETRY";
  if (isPoint) {
    const canvas = element("canvas", { width: EDGE * 2, height: EDGE * 2 });
    const form = look.shape === "wedge" ? "bullet" : undefined;
    canvas.getContext("2d")?.drawImage(symbol({ shape: look.shape, color, code, form }), 0, 0, EDGE * 2, EDGE * 2);
    box.append(canvas);
  } else if (layer.geometry.endsWith("LINESTRING")) {
    const line = element("span", { class: "swatch-line" });
    line.style.background = color;
    box.append(line);
  } else {
    const face = element("span", { class: `swatch-face swatch-${look.surface}` });
    face.style.borderColor = color;
    face.style.background = translucent(color, look.surface === "solid" ? 0.42 : 0.1);
    box.append(face);
  }
  return box;
}
