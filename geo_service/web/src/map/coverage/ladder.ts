// The two ladders of pixel density, and the colour of each step.
import type { Edition, Level } from "./contract";

function step(level: string, zh: string, px_per_m: number): Level {
  const en = level.slice(0, 1).toUpperCase() + level.slice(1);
  return { level, zh, en, px_per_m };
}

/** As `density_levels` of the service has them: a test holds both together. */
export const LADDERS: Record<Edition, readonly Level[]> = {
  "2015": [
    step("monitor", "监视", 12.5),
    step("detect", "探测", 25),
    step("observe", "观察", 62.5),
    step("recognise", "识别", 125),
    step("identify", "辨认", 250),
  ],
  "2025": [
    step("overview", "概览", 20),
    step("outline", "轮廓", 40),
    step("discern", "分辨", 80),
    step("perceive", "察觉", 125),
    step("characterise", "特征描述", 250),
    step("validate", "核实", 500),
    step("scrutinise", "细查", 1500),
  ],
};

/** From pale to dark in even steps of lightness, so that it reads in grey and to the colour-blind. */
const COLOURS: Record<Edition, readonly string[]> = {
  "2015": ["#c3e4cb", "#7cc7bd", "#3d9fc0", "#2a6cb0", "#2a3a86"],
  "2025": ["#c3e4cb", "#93d0c3", "#5fb4c4", "#3a91bd", "#2a6cb0", "#2b4a95", "#232a6b"],
};

export function levelOf(edition: Edition, id: string): Level {
  const found = LADDERS[edition].find(({ level }) => level === id);
  return found ?? (LADDERS[edition][1] as Level);
}

export function colourOf(edition: Edition, id: string): string {
  const at = LADDERS[edition].findIndex(({ level }) => level === id);
  return COLOURS[edition][Math.max(at, 0)] ?? "#2a6cb0";
}

/** The level of the other edition that asks for about as much. */
export function nearestLevel(edition: Edition, pixels: number): string {
  const far = ({ px_per_m }: Level): number => Math.abs(Math.log(px_per_m / pixels));
  return [...LADDERS[edition]].sort((a, b) => far(a) - far(b))[0]?.level ?? "";
}
