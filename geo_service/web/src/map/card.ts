// The card at the right, in which a mode answers: its tabs, what is shown, what can be taken away.
import { button, element, icon } from "../common/dom";
import { say } from "../common/language";
import { TabBar } from "./tab-bar";

export interface CardParts<V extends string, S extends string> {
  id: string;
  label: string;
  tabs: readonly (readonly [view: V, title: string])[];
  savings: readonly (readonly [what: S, path: string, text: string, title: string])[];
  opened: () => void;
  close: () => void;
  view: (view: V) => void;
  save: (what: S) => void;
}

export class Card<V extends string, S extends string> {
  readonly root: HTMLElement;
  readonly body: HTMLElement;
  private readonly title = element("h2", {});
  private readonly subtitle = element("small", {});
  private readonly bar: TabBar;
  private readonly footer = element("footer", { class: "card-actions" });
  /** What screen readers are told, whatever the card shows. */
  private readonly status = element("p", { class: "unseen", role: "status", "aria-live": "polite" });
  private readonly savings = new Map<S, HTMLButtonElement>();

  constructor(private readonly parts: CardParts<V, S>) {
    const { id } = parts;
    const close = button(say("closeResults"), "details-close", "×");
    close.addEventListener("click", parts.close);
    this.body = element("div", { class: "card-body", id: `${id}-body`, role: "tabpanel", tabindex: 0 });
    const tabs = parts.tabs.map(([view, title]) => ({ id: this.tabId(view), title, controls: this.body.id, open: () => parts.view(view) }));
    this.bar = new TabBar(say("views"), "tabs", tabs);
    for (const [what, path, text, title] of parts.savings) {
      const made = element("button", { type: "button", title, "data-save": what }, icon(path), text);
      made.addEventListener("click", () => parts.save(what));
      this.savings.set(what, made);
      this.footer.append(made);
    }
    const head = element("header", { class: "card-head" }, element("div", {}, this.title, this.subtitle), close);
    this.root = element("section", { class: "card", id, role: "region", "aria-label": parts.label, hidden: true }, head, this.bar.root, this.body, this.footer, this.status);
  }

  private tabId(view: V): string {
    return `${this.parts.id}-${view}`;
  }

  /** Show the card with one of its tabs, under a title. */
  show(view: V, title: string, subtitle: string): void {
    this.title.textContent = title;
    this.subtitle.textContent = subtitle;
    this.bar.select(this.tabId(view));
    this.body.setAttribute("aria-labelledby", this.tabId(view));
    const opened = this.root.hidden;
    this.root.hidden = false;
    if (opened) this.parts.opened();
  }

  hide(): void {
    this.root.hidden = true;
  }

  /** Fill the card, from its top; what is in it already stays as it is. */
  fill(...content: (Node | null)[]): void {
    const nodes = content.filter((node): node is Node => node !== null);
    if (nodes.length === 1 && nodes[0] === this.body.firstChild) return;
    this.body.replaceChildren(...nodes);
    this.body.scrollTop = 0;
  }

  /** What can be taken away of what is shown now. */
  offer(savings: readonly S[]): void {
    for (const [what, made] of this.savings) made.hidden = !savings.includes(what);
    this.footer.hidden = savings.length === 0;
  }

  /** Tell those who do not see it. */
  say(sentence: string): void {
    this.status.textContent = sentence;
  }
}
