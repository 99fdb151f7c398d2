// Handing a file to whoever sits before the page.

export function save(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function saveGeojson(name: string, document: unknown): void {
  save(`${name}.geojson`, new Blob([JSON.stringify(document)], { type: "application/geo+json" }));
}

export type Field = string | number | null | undefined;

/** Spreadsheets run a text that starts like a formula, and quotes end a field. */
function field(value: Field): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) && !/^-?[\d.,-]+$/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/** A table as a spreadsheet opens it: the byte order mark tells Excel that this is UTF-8. */
export function saveCsv(name: string, rows: readonly (readonly Field[])[]): void {
  const text = rows.map((row) => row.map(field).join(",")).join("\r\n");
  save(`${name}.csv`, new Blob(["\ufeff", text, "\r\n"], { type: "text/csv;charset=utf-8" }));
}
