// Search by code or name: a combobox with a list of results (WAI-ARIA authoring practices).
import { address, read } from "../common/api";
import type { Hit, LayerEntry } from "../common/contract";
import { button, element, icon } from "../common/dom";
import { pick, say } from "../common/language";
import { swatch } from "./swatch";
import { toastProblem } from "./toast";

const PAUSE = 180;
const LIMIT = 12;
const LENS = "M9 3.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zm4 9.5 4 4";

export class Search {
  readonly root: HTMLElement;
  private readonly input: HTMLInputElement;
  private readonly list = element("ul", { class: "results", id: "results", role: "listbox", hidden: true });
  private readonly status = element("div", { class: "unseen", role: "status", "aria-live": "polite" });
  private readonly clear = button(say("clear"), "search-clear", "×");
  private hits: Hit[] = [];
  private active = -1;
  private timer = 0;
  private asked: AbortController | null = null;

  constructor(
    private readonly layers: LayerEntry[],
    private readonly chosen: (hit: Hit) => void,
  ) {
    this.input = element("input", {
      type: "search",
      id: "search",
      class: "search-input",
      placeholder: say("search"),
      "aria-label": say("search"),
      role: "combobox",
      "aria-expanded": "false",
      "aria-controls": "results",
      "aria-autocomplete": "list",
      autocomplete: "off",
      spellcheck: "false",
    });
    this.clear.hidden = true;
    this.list.setAttribute("aria-label", say("search"));
    this.root = element("div", { class: "search", role: "search" }, icon(LENS), this.input, this.clear, this.list, this.status);
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("focus", () => this.open(this.list.childElementCount > 0));
    this.clear.addEventListener("click", () => this.reset());
    this.root.addEventListener("focusout", (event) => {
      if (!this.root.contains(event.relatedTarget as Node | null)) this.open(false);
    });
    // Keeps the focus in the field, so that a click on a result does not close the list first.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
  }

  private typed(): void {
    clearTimeout(this.timer);
    this.asked?.abort();
    const text = this.input.value.trim();
    this.clear.hidden = this.input.value === "";
    if (!text) {
      this.show([], "");
      return;
    }
    this.timer = window.setTimeout(() => void this.ask(text), PAUSE);
  }

  private async ask(text: string): Promise<void> {
    const asked = new AbortController();
    this.asked = asked;
    try {
      const { results } = await read<{ results: Hit[] }>(address("/api/search", { q: text, limit: LIMIT }), asked.signal);
      if (asked === this.asked) this.show(results, text);
    } catch (error) {
      toastProblem(error);
    }
  }

  private show(hits: Hit[], text: string): void {
    this.hits = hits;
    this.list.replaceChildren(...hits.map((hit, index) => this.option(hit, index)));
    if (text && hits.length === 0) {
      this.list.append(element("li", { class: "nothing", role: "presentation" }, say("searchNone", { q: text })));
    }
    this.status.textContent = text ? say("searchResults", { n: hits.length }) : "";
    this.activate(hits.length ? 0 : -1);
    this.open(text !== "");
  }

  private option(hit: Hit, index: number): HTMLElement {
    const layer = this.layers.find((entry) => entry.id === hit.layer);
    const made = element(
      "li",
      { role: "option", id: `result-${index}` },
      layer ? swatch(layer) : null,
      element(
        "span",
        { class: "result-text" },
        element("b", {}, hit.label ?? hit.code),
        element("small", {}, [layer ? pick(layer.title) : "", hit.label ? hit.code : ""].filter(Boolean).join(" · ")),
      ),
    );
    made.addEventListener("click", () => this.choose(index));
    return made;
  }

  private key(event: KeyboardEvent): void {
    if (event.isComposing) return; // an input method is at work: its Enter and arrows are not ours
    const last = this.hits.length - 1;
    if (event.key === "ArrowDown") this.activate(this.active >= last ? 0 : this.active + 1);
    else if (event.key === "ArrowUp") this.activate(this.active <= 0 ? last : this.active - 1);
    else if (event.key === "Enter") this.choose(this.active);
    else if (event.key === "Escape") this.open(false);
    else return;
    event.preventDefault();
  }

  private activate(index: number): void {
    this.active = this.hits.length ? index : -1;
    [...this.list.children].forEach((option, at) => {
      if (option.getAttribute("role") === "option") option.setAttribute("aria-selected", String(at === this.active));
    });
    if (this.active >= 0) {
      this.input.setAttribute("aria-activedescendant", `result-${this.active}`);
      this.list.children[this.active]?.scrollIntoView({ block: "nearest" });
    } else this.input.removeAttribute("aria-activedescendant");
  }

  private choose(index: number): void {
    const hit = this.hits[index];
    if (!hit) return;
    this.open(false);
    this.chosen(hit);
  }

  private open(open: boolean): void {
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
  }

  private reset(): void {
    this.input.value = "";
    this.typed();
    this.input.focus();
  }
}
