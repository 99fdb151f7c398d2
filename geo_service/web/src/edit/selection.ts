// The grids that are chosen, the first of them first, and those beside them.
import type { Session } from "./session";

export class Selection {
  codes: string[] = [];
  private near = new Map<string, string[]>();
  private readonly listeners: (() => void)[] = [];

  constructor(private readonly session: Session) {
    session.on("grids", () => {
      this.near.clear();
      const left = this.codes.filter((code) => session.grids.get(code));
      if (left.length !== this.codes.length) this.set(left);
    });
  }

  on(listener: () => void): void {
    this.listeners.push(listener);
  }

  get first(): string | null {
    return this.codes[0] ?? null;
  }

  has(code: string): boolean {
    return this.codes.includes(code);
  }

  beside(code: string): string[] {
    let found = this.near.get(code);
    if (!found) this.near.set(code, (found = this.session.grids.neighbours(code)));
    return found;
  }

  isBeside(code: string): boolean {
    return this.codes.some((chosen) => this.beside(chosen).includes(code));
  }

  set(codes: string[]): void {
    this.codes = codes;
    for (const listener of this.listeners) listener();
  }

  toggle(code: string): void {
    this.set(this.has(code) ? this.codes.filter((other) => other !== code) : [...this.codes, code]);
  }
}
