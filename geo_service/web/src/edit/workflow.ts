// 办理: what can be done with the draft as a whole, by its state and by who is asking.
import { element } from "../common/dom";
import { confirm } from "../import/confirm";
import type { Session } from "./session";
import { amend, abandon, noticeFile, type Step } from "./service";
import { tell, type Word } from "./words";

interface Offer {
  step: Step | "abandon";
  main?: boolean;
  /** Why it cannot be pressed. */
  because?: string;
  ask?: Word;
}

function offers(session: Session): Offer[] {
  const { draft } = session;
  if (!session.mayWrite) return [];
  const own = session.isAuthor ? tell("ownDraft") : undefined;
  const moved = draft.moved ? tell("baseMoved") : undefined;
  switch (draft.state) {
    case "draft":
      return [
        { step: "abandon", ask: "askAbandon" },
        ...(draft.moved ? [{ step: "rebase" as const, main: true }] : []),
        { step: "submit", main: !draft.moved, because: draft.operations === 0 ? tell("nothingToSubmit") : moved },
      ];
    case "submitted":
      return [
        ...(session.isAuthor ? [{ step: "withdraw" as const }] : []),
        { step: "return", because: own },
        { step: "approve", main: true, because: own },
      ];
    case "approved":
      return [
        ...(draft.moved ? [{ step: "rebase" as const }] : []),
        session.isAuthor ? { step: "withdraw" } : { step: "return" },
        { step: "publish", main: true, because: moved, ask: "askPublish" },
      ];
    case "published":
      return [{ step: "rollback", ask: "askRollback" }];
    default:
      return [];
  }
}

export class Workflow {
  readonly root = element("section", { class: "workflow", "aria-label": tell("workflow") });
  private readonly state = element("span", { class: "state" });
  private readonly people = element("small", {});
  private readonly why = element("p", { class: "why", id: "why", hidden: true });
  private readonly buttons = element("div", { class: "acts" });
  private readonly date = element("input", { type: "date", id: "valid-from" });
  private readonly dateLine = element("p", { class: "field", hidden: true }, element("label", { for: "valid-from" }, tell("validFrom")), this.date);
  private readonly files = element("p", { class: "files" });

  constructor(
    private readonly session: Session,
    private readonly reviewing: (on: boolean) => void,
    private readonly leave: () => void,
    private readonly failed: (error: unknown) => void,
  ) {
    this.root.append(element("p", { class: "standing" }, this.state, this.people), this.why, this.dateLine, this.files, this.buttons);
    this.date.addEventListener("change", () => {
      amend(session.draft.id, { valid_from: this.date.value || null }).then(() => session.refresh(), this.failed);
    });
    session.on("draft", () => this.show());
    session.on("busy", () => this.buttons.classList.toggle("busy", session.busy));
    this.show();
  }

  private inReview = false;

  setReview(on: boolean): void {
    this.inReview = on;
    this.show();
  }

  show(): void {
    const { draft } = this.session;
    this.state.dataset.state = draft.state;
    this.state.textContent = tell(`state-${draft.state}`);
    this.people.textContent = [draft.author, draft.reviewer ? tell("reviewer", { name: draft.reviewer }) : ""].filter(Boolean).join(" · ");
    const offered = offers(this.session);
    const why = [...new Set(offered.map(({ because }) => because).filter(Boolean))].join(" ");
    this.why.textContent = why;
    this.why.hidden = !why;
    this.dateLine.hidden = draft.state !== "approved" || !this.session.mayWrite;
    if (document.activeElement !== this.date) this.date.value = draft.valid_from ?? "";
    const review = element("button", { type: "button" }, tell(this.inReview ? "backToEdit" : "review"));
    review.addEventListener("click", () => this.reviewing(!this.inReview));
    this.buttons.replaceChildren(
      ...(draft.touched.length > 0 || draft.operations > 0 || this.inReview ? [review] : []),
      ...offered.map((offer) => this.button(offer)),
    );
    const printed = ["submitted", "approved", "published"].includes(draft.state);
    this.files.hidden = !printed;
    this.files.replaceChildren(
      tell("notice"),
      ...(["pdf", "docx"] as const).map((kind) => element("a", { href: noticeFile(draft.id, kind), download: true }, kind.toUpperCase())),
    );
  }

  private button({ step, main, because, ask }: Offer): HTMLButtonElement {
    const made = element(
      "button",
      { type: "button", class: main ? "primary" : null, "data-step": step, disabled: because !== undefined, "aria-describedby": because ? "why" : null },
      tell(step),
    );
    const go = (): void => void this.go(step);
    made.addEventListener("click", () => (ask ? confirm(made, tell(ask), tell("yes"), tell("no"), go) : go()));
    return made;
  }

  private async go(step: Step | "abandon"): Promise<void> {
    if (step === "abandon") {
      try {
        await abandon(this.session.draft.id);
        this.leave();
      } catch (error) {
        this.failed(error);
      }
      return;
    }
    await this.session.step(step, step === "publish" && this.date.value ? { valid_from: this.date.value } : {});
  }
}
