// The wall's colours, for what is painted rather than styled.
export const PALETTE = {
  ground: "#101f30",
  grid: "rgba(95,140,190,0.34)",
  boundary: "rgba(122,168,218,0.7)",
  road: "rgba(110,140,175,0.22)",
  ink: "#eaf1f8",
  soft: "#9db1c6",
  line: "#1d3047",
  face: "#0f1c2b",
  accent: "#5fb0ee",
  disputes: "#ff7466",
  hazards: "#ffb84d",
  fault: "#c58bff",
} as const;

/** Pixels of one rem, which follows the size of the screen. */
export function rem(): number {
  return parseFloat(getComputedStyle(document.documentElement).fontSize);
}
