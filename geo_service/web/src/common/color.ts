// Colours given as #rrggbb, made lighter, darker or translucent.

function channels(color: string): [number, number, number] {
  const value = parseInt(color.slice(1, 7), 16);
  return Number.isNaN(value) ? [104, 114, 125] : [value >> 16, (value >> 8) & 255, value & 255];
}

export function translucent(color: string, alpha: number): string {
  return `rgba(${channels(color).join(",")},${alpha})`;
}

/** Mix with white (`share` > 0) or with black (`share` < 0). */
export function shade(color: string, share: number): string {
  const target = share > 0 ? 255 : 0;
  const mixed = channels(color).map((value) => Math.round(value + (target - value) * Math.abs(share)));
  return `rgb(${mixed.join(",")})`;
}
