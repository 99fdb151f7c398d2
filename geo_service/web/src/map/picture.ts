// The view of the map as a picture that can be handed on.
import type ChartMap from "ol/Map";

import type { LegendContent } from "./legend";
import { save } from "./save";
import { FONT } from "./styles";

const EDGE = 14;
const LINE = 21;

function drawMap(map: ChartMap, context: CanvasRenderingContext2D, ratio: number): void {
  for (const canvas of map.getViewport()?.querySelectorAll<HTMLCanvasElement>(".ol-layers canvas") ?? []) {
    if (!canvas.width) continue;
    const opacity = canvas.parentElement?.style.opacity || canvas.style.opacity;
    context.globalAlpha = opacity === "" ? 1 : Number(opacity);
    const matrix = /^matrix\(([^)]*)\)$/.exec(canvas.style.transform)?.[1]?.split(",").map(Number);
    const [a = 1 / ratio, b = 0, c = 0, d = 1 / ratio, e = 0, f = 0] = matrix ?? [];
    context.setTransform(a * ratio, b * ratio, c * ratio, d * ratio, e * ratio, f * ratio);
    context.drawImage(canvas, 0, 0);
  }
  context.globalAlpha = 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
}

/** Break a text to a width: Chinese anywhere, English between words. */
function broken(context: CanvasRenderingContext2D, text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const part of text.match(/[\x21-\x7e\u2012-\u2027]+|[^]/g) ?? []) {
    if (line && context.measureText(line + part).width > width) {
      lines.push(line);
      line = part.trimStart();
    } else line += part;
  }
  return line ? [...lines, line] : lines;
}

function box(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number): void {
  context.fillStyle = "#fff";
  context.strokeStyle = "#d5dae0";
  context.lineWidth = 1;
  context.fillRect(x, y, width, height);
  context.strokeRect(x, y, width, height);
}

/** The view of the map as a picture that can be handed on: with title, summary, legend and scale. */
export async function savePicture(name: string, map: ChartMap, title: string, notes: string[], legend: LegendContent | null): Promise<void> {
  await new Promise<void>((resolve) => {
    map.once("rendercomplete", () => resolve());
    map.render();
  });
  const [width = 0, height = 0] = map.getSize() ?? [];
  const ratio = window.devicePixelRatio || 1;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  if (!context) return;
  context.fillStyle = "#eceeec";
  context.fillRect(0, 0, canvas.width, canvas.height);
  drawMap(map, context, ratio);
  context.textBaseline = "middle";
  context.font = `12px ${FONT}`;
  const textWidth = Math.min(width - 8 * EDGE, 760);
  const lines = notes.flatMap((note) => broken(context, note, textWidth));
  box(context, EDGE, EDGE, textWidth + 2 * EDGE, 38 + lines.length * 18 + 6);
  context.fillStyle = "#1f2a37";
  context.font = `700 16px ${FONT}`;
  context.fillText(title, 2 * EDGE, EDGE + 22);
  context.font = `12px ${FONT}`;
  lines.forEach((line, at) => context.fillText(line, 2 * EDGE, EDGE + 46 + at * 18));
  if (legend) drawLegend(context, legend, height);
  drawScale(context, map, width, height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob) save(`${name}.png`, blob);
}

function drawLegend(context: CanvasRenderingContext2D, { title, rows }: LegendContent, height: number): void {
  context.font = `12px ${FONT}`;
  const widest = Math.max(...rows.map(({ title: words, value = "" }) => context.measureText(`${words} ${value}`).width));
  context.font = `600 13px ${FONT}`;
  const width = Math.max(widest + 76, context.measureText(title).width + 2 * EDGE);
  const tall = rows.length * LINE + 38;
  const top = height - tall - EDGE;
  box(context, EDGE, top, width, tall);
  context.fillStyle = "#1f2a37";
  context.fillText(title, EDGE * 2, top + 18);
  rows.forEach((row, at) => {
    const y = top + 40 + at * LINE;
    context.fillStyle = row.fill;
    context.strokeStyle = row.line;
    context.fillRect(EDGE * 2, y - 7, 22, 14);
    context.strokeRect(EDGE * 2, y - 7, 22, 14);
    context.textAlign = "center";
    context.font = `700 10px ${FONT}`;
    context.fillStyle = row.ink ?? "#1f2a37";
    context.fillText(row.mark ?? "", EDGE * 2 + 11, y + 0.5);
    context.textAlign = "left";
    context.font = `12px ${FONT}`;
    context.fillStyle = "#1f2a37";
    context.fillText(row.title, EDGE * 2 + 30, y);
    context.textAlign = "right";
    context.fillText(row.value ?? "", EDGE + width - 12, y);
    context.textAlign = "left";
  });
}

/** The scale line of the page, drawn again. */
function drawScale(context: CanvasRenderingContext2D, map: ChartMap, width: number, height: number): void {
  const bar = map.getViewport()?.querySelector<HTMLElement>(".ol-scale-line-inner");
  if (!bar) return;
  const [long, x, y] = [bar.offsetWidth, width - EDGE, height - EDGE];
  context.strokeStyle = "#3c4653";
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x - long, y - 6);
  context.lineTo(x - long, y);
  context.lineTo(x, y);
  context.lineTo(x, y - 6);
  context.stroke();
  context.textAlign = "center";
  context.fillStyle = "#3c4653";
  context.fillText(bar.textContent ?? "", x - long / 2, y - 12);
  context.textAlign = "left";
}
