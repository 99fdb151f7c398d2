// How the clerk wants a file read. Kept in the browser, so that a reload or a closed tab loses nothing.
import type { ImportRecord, Options, Preview } from "./contract";

const KEPT = "geo-service.import.";

const FRESH: Options = {
  layer: null,
  mapping: {},
  constants: {},
  crs: null,
  timezone: "Asia/Shanghai",
  make_codes: false,
  clean: null,
  repair: false,
  skip_bad: false,
};

/** The same text for the same options, in whatever order the database gives them back. */
export function fingerprint(options: Options): string {
  const sorted = (record: object): [string, unknown][] => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  const { mapping, constants, ...rest } = options;
  return JSON.stringify([sorted(mapping), sorted(constants), sorted(rest)]);
}

/** Layers that are a whole: with a row left out they would have a hole. */
const WHOLE = new Set(["grids", "areas"]);

/** How things stood when a choice for a header began. */
interface Begun extends Pick<Options, "mapping" | "constants"> {
  header: string;
  preview: Preview;
}

export class Draft {
  options: Options;
  /** What was said of layers that were left: arrow keys pass several on the way to one. */
  private readonly left = new Map<string, Options>();
  private begun: Begun | null = null;

  constructor(private readonly record: ImportRecord) {
    this.options = { ...this.sent, ...this.kept() };
    this.options.mapping = { ...this.options.mapping };
    this.options.constants = { ...this.options.constants };
  }

  /** The options of the last check or load. */
  get sent(): Options {
    return { ...FRESH, layer: this.record.layer, ...this.record.options };
  }

  private kept(): Partial<Options> {
    try {
      return JSON.parse(localStorage.getItem(KEPT + this.record.id) ?? "{}") as Partial<Options>;
    } catch {
      return {}; // storage may be forbidden by policy
    }
  }

  keep(): void {
    try {
      localStorage.setItem(KEPT + this.record.id, JSON.stringify(this.options));
    } catch {
      // The service remembers what was checked.
    }
  }

  /** Whether rows may be left out of this layer. */
  get maySkip(): boolean {
    return !WHOLE.has(this.options.layer ?? "");
  }

  get isGrids(): boolean {
    return this.options.layer === "grids";
  }

  setLayer(layer: string): void {
    const { crs, timezone, repair } = this.options;
    if (this.options.layer) this.left.set(this.options.layer, this.options);
    const before = this.left.get(layer) ?? { ...FRESH, layer, mapping: {}, constants: {} };
    this.options = { ...before, crs, timezone, repair };
  }

  /** A choice among columns begins: what it passes on its way is not meant. */
  begin(header: string, preview: Preview): Begun {
    const { mapping, constants } = this.options;
    this.begun = { header, mapping: { ...mapping }, constants: { ...constants }, preview };
    return this.begun;
  }

  /** Let a header become a column, or an attribute where `column` is empty. */
  map(header: string, column: string, preview: Preview): void {
    // Some aids choose without ever moving the focus.
    const begun = this.begun?.header === header ? this.begun : this.begin(header, preview);
    const mapping = { ...begun.mapping };
    const constants = { ...begun.constants };
    Object.assign(this.options, { mapping, constants });
    for (const known of begun.preview.columns) {
      // What the header was, and what it must not be guessed to be again.
      if (known.header === header && known.name !== column) mapping[known.name] = "";
    }
    if (!column) return;
    mapping[column] = header;
    delete constants[column];
  }

  /** One value for all rows; empty: none. */
  setConstant(column: string, value: string): void {
    if (value) this.options.constants[column] = value;
    else delete this.options.constants[column];
  }

  setMakeCodes(make: boolean, preview: Preview): void {
    // Codes that the file has go on to count: making them stops the guess, so it is said aloud.
    const header = preview.columns.find((column) => column.name === "code")?.header;
    if (make && header) this.options.mapping.code = header;
    this.options.make_codes = make;
  }
}

/** Forget what was kept of an import that is done with. */
export function dropDraft(id: string): void {
  try {
    localStorage.removeItem(KEPT + id);
  } catch {
    // Nothing was kept either.
  }
}
