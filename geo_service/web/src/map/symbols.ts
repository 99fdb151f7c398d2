// Point symbols, painted on small canvases. The map and the legend share them.
import { shade, translucent } from "../common/color";
import { pictogram } from "./pictograms";
import type { Shape } from "./presentation";

/** Symbols are painted larger than shown, so that they stay sharp on dense screens. */
export const DENSITY = 3;
const BOX = 28;
const MIDDLE = BOX / 2;

export interface Look {
  shape: Shape;
  color: string;
  /** The code that the colour stands for; a badge takes its pictogram from it. */
  code: string;
  /** The form of a camera: only some look one way. */
  form?: string;
}

/** Forms that see all around: they get a ring where others get a wedge. */
const ALL_AROUND = new Set(["ptz", "panoramic"]);
const WEDGE: Record<string, number> = { bullet: 58, dome: 96 };

function outline(paint: CanvasRenderingContext2D, fill: string, path: Path2D, halo = 1.6): void {
  paint.lineJoin = "round";
  paint.strokeStyle = "rgba(255,255,255,0.95)";
  paint.lineWidth = halo * 2;
  paint.stroke(path);
  paint.fillStyle = fill;
  paint.fill(path);
}

function disc(radius: number): Path2D {
  const path = new Path2D();
  path.arc(MIDDLE, MIDDLE, radius, 0, 2 * Math.PI);
  return path;
}

function circle(paint: CanvasRenderingContext2D, { color }: Look): void {
  outline(paint, color, disc(5.6));
}

function triangle(paint: CanvasRenderingContext2D, { color }: Look): void {
  outline(paint, color, new Path2D("M14 6.5 21 19H7z"));
  paint.fillStyle = "#fff";
  paint.fill(new Path2D("M13.2 10.6h1.6l-.3 4.2h-1zM13.2 15.7h1.6v1.6h-1.6z"));
}

function badge(paint: CanvasRenderingContext2D, { color, code }: Look): void {
  const square = new Path2D();
  const [near, far, bend] = [5.5, 22.5, 4.5];
  square.moveTo(near + bend, near);
  square.arcTo(far, near, far, far, bend);
  square.arcTo(far, far, near, far, bend);
  square.arcTo(near, far, near, near, bend);
  square.arcTo(near, near, far, near, bend);
  square.closePath();
  outline(paint, color, square, 1.2);
  paint.translate(7.6, 7.6);
  paint.scale(0.8, 0.8);
  paint.fillStyle = "#fff";
  paint.fill(new Path2D(pictogram(code)), "evenodd");
}

/** Points north; the map turns it by the azimuth. */
function wedge(paint: CanvasRenderingContext2D, { color, form }: Look): void {
  const view = new Path2D();
  if (form && ALL_AROUND.has(form)) {
    view.arc(MIDDLE, MIDDLE, 9, 0, 2 * Math.PI);
  } else {
    const half = ((WEDGE[form ?? ""] ?? 70) / 2) * (Math.PI / 180);
    view.moveTo(MIDDLE, MIDDLE);
    view.arc(MIDDLE, MIDDLE, 13, -Math.PI / 2 - half, -Math.PI / 2 + half);
    view.closePath();
  }
  paint.fillStyle = translucent(color, 0.26);
  paint.fill(view);
  paint.strokeStyle = translucent(color, 0.55);
  paint.lineWidth = 0.8;
  paint.stroke(view);
  outline(paint, shade(color, -0.08), disc(3.4), 1.1);
}

const PAINTERS: Record<Shape, (paint: CanvasRenderingContext2D, look: Look) => void> = {
  circle,
  triangle,
  badge,
  wedge,
};

const painted = new Map<string, HTMLCanvasElement>();

/** The symbol, BOX pixels wide at DENSITY; made once for each look. */
export function symbol(look: Look): HTMLCanvasElement {
  const key = [look.shape, look.color, look.code, look.form].join("|");
  let canvas = painted.get(key);
  if (!canvas) {
    canvas = document.createElement("canvas");
    canvas.width = canvas.height = BOX * DENSITY;
    const paint = canvas.getContext("2d");
    if (paint) {
      paint.scale(DENSITY, DENSITY);
      PAINTERS[look.shape](paint, look);
    }
    painted.set(key, canvas);
  }
  return canvas;
}
