// Pictograms of the kinds of places, in a 16 by 16 box, filled by the even-odd rule.

const PICTOGRAMS: Record<string, string> = {
  school: "M8 2.6 15.4 6.3 8 10 .6 6.3zM3.6 8.9V12c1.4 1.9 7.4 1.9 8.8 0V8.9L8 11.1zM14 7.6h1v4.2h-1z",
  hospital: "M6.1 2h3.8v4.1H14v3.8H9.9V14H6.1V9.9H2V6.1h4.1z",
  market: "M2.8 2.2h10.4L15 6.4c0 2.2-3 2.2-3.5.4-.5 2-3 2-3.5 0-.5 2-3 2-3.5 0C4 8.6 1 8.6 1 6.4zM2.6 9.2h10.8V14H9.8v-3H6.2v3H2.6z",
  scenic: "M8 1.2 12 6.2h-1.9l3.4 5H8.9V14.5H7.1V11.2H2.5l3.4-5H4z",
  construction: "M1.8 10.8a6.2 6.2 0 0 1 4.4-6.1V8h1V3.2h1.6V8h1V4.7a6.2 6.2 0 0 1 4.4 6.1zM1 11.7h14v1.6H1z",
  mediation: "M7.3 1.8h1.4v1.4h4.1l2.4 5.3a2.7 2.7 0 0 1-5.2 0l1.7-3.9h-3v8.1h2.4v1.5H4.9v-1.5h2.4V4.6h-3L6 8.5a2.7 2.7 0 0 1-5.2 0l2.4-5.3h4.1z",
  station: "M3.4 1.8h9.2c.8 0 1.4.6 1.4 1.4v9h-1.2v1.9h-1.9v-1.9H5.1v1.9H3.2v-1.9H2v-9c0-.8.6-1.4 1.4-1.4zM3.6 4v3.9h8.8V4zM4 9.3v1.4h1.7V9.3zM10.3 9.3v1.4H12V9.3z",
  shelter: "M8 1.8 15 8h-2v6H9.6v-3.8H6.4V14H3V8H1z",
};

const ANY = "M8 4.2a3.8 3.8 0 1 1 0 7.6 3.8 3.8 0 0 1 0-7.6z";

export function pictogram(code: string): string {
  return PICTOGRAMS[code] ?? ANY;
}
