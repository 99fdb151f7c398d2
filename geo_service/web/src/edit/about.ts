// What the draft is called and why it was begun; its writers may say it anew until it is approved.
import { button, element, icon } from "../common/dom";
import { amend } from "./service";
import type { Session } from "./session";
import { tell } from "./words";

const PENCIL = "M4 13.5 13 4.5l2.5 2.5-9 9H4zM11 6.5 13.5 9";

export class About {
  readonly root = element("div", { class: "about" });
  private open = false;

  constructor(
    private readonly session: Session,
    private readonly renamed: (name: string) => void,
    private readonly failed: (error: unknown) => void,
  ) {
    session.on("draft", () => {
      if (!this.open) this.show();
    });
    this.show();
  }

  private get amendable(): boolean {
    const { state } = this.session.draft;
    return this.session.mayWrite && (state === "draft" || state === "submitted");
  }

  private show(): void {
    this.open = false;
    const { name, reason } = this.session.draft;
    this.renamed(name);
    const change = button(tell("amend"), "plain", icon(PENCIL));
    change.addEventListener("click", () => this.edit());
    change.hidden = !this.amendable;
    this.root.replaceChildren(element("p", { class: reason ? "reason" : "reason none", title: reason || null }, reason || tell("noReason")), change);
  }

  private edit(): void {
    this.open = true;
    const { draft } = this.session;
    const name = element("input", { type: "text", id: "about-name", maxlength: 100, autocomplete: "off", value: draft.name, required: true });
    const reason = element("textarea", { id: "about-reason", rows: 3, maxlength: 2000 }, draft.reason);
    const save = element("button", { type: "submit", class: "primary" }, tell("save"));
    const leave = element("button", { type: "button" }, tell("cancel"));
    const form = element(
      "form",
      { class: "about-form" },
      element("p", { class: "field" }, element("label", { for: "about-name" }, tell("draftName")), name),
      element("p", { class: "field" }, element("label", { for: "about-reason" }, tell("draftReason")), reason),
      element("div", { class: "row" }, leave, save),
    );
    const close = (): void => {
      this.show();
      this.root.querySelector("button")?.focus();
    };
    leave.addEventListener("click", close);
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      close();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!name.value.trim()) {
        name.focus();
        return;
      }
      save.disabled = true;
      amend(draft.id, { name: name.value.trim(), reason: reason.value.trim() })
        .then(() => this.session.refresh())
        .then(close, (error: unknown) => {
          save.disabled = false;
          this.failed(error);
        });
    });
    this.root.replaceChildren(form);
    name.focus();
  }
}
