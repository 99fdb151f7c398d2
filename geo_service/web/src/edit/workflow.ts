// 办理: what can be done with the draft as a whole, by its state and by who is asking.
import { element } from "../common/dom";
import { dayOf } from "../common/times";
import { confirm } from "../import/confirm";
import type { Session } from "./session";
import { amend, abandon, noticeFile, type Step } from "./service";
import { tell } from "./words";

interface Offer {
  step: Step | "abandon" | "unschedule";
  main?: boolean;
  /** Why it cannot be pressed. */
  because?: string;
  /** What is asked before it is done. */
  ask?: string;
}

/** Whether a day is still to come, where the town is. */
function isToCome(day: string | null): day is string {
  return day !== null && day > dayOf(Date.now());
}

function offers(session: Session): Offer[] {
  const { draft } = session;
  if (!session.mayWrite) return [];
  const own = session.isAuthor ? tell("ownDraft") : undefined;
  const moved = draft.moved ? tell("baseMoved") : undefined;
  switch (draft.state) {
    case "draft":
      return [
        { step: "abandon", ask: tell("askAbandon") },
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
        draft.scheduled_by
          ? { step: "unschedule" }
          : { step: "publish", main: true, because: moved, ask: isToCome(draft.valid_from) ? tell("askPublishLater", { day: draft.valid_from }) : tell("askPublish") },
      ];
    case "published":
      return [{ step: "rollback", ask: tell("askRollback") }];
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
    about: HTMLElement,
  ) {
    this.root.append(element("p", { class: "standing" }, this.state, this.people), about, this.why, this.dateLine, this.files, this.buttons);
    this.date.addEventListener("change", () => void this.setDay(this.date.value || null));
    session.on("draft", () => this.show());
    session.on("busy", () => this.buttons.classList.toggle("busy", session.busy));
    this.show();
  }

  private inReview = false;
  private offered = "";

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
    const scheduled = draft.scheduled_by && draft.state === "approved" ? tell("scheduled", { day: draft.valid_from ?? "" }) : undefined;
    const why = [...new Set([scheduled, ...offered.map(({ because }) => because)].filter(Boolean))].join(" ");
    this.why.textContent = why;
    this.why.hidden = !why;
    this.dateLine.hidden = draft.state !== "approved" || !this.session.mayWrite;
    if (document.activeElement !== this.date) this.date.value = draft.valid_from ?? "";
    this.offer(offered, draft.touched.length > 0 || draft.operations > 0 || this.inReview);
    const printed = ["submitted", "approved", "published"].includes(draft.state);
    this.files.hidden = !printed;
    this.files.replaceChildren(
      tell("notice"),
      ...(["pdf", "docx"] as const).map((kind) => element("a", { href: noticeFile(draft.id, kind), download: true }, kind.toUpperCase())),
    );
  }

  /** Put up the buttons; where they are the same they stay, with the question that one of them may be asking. */
  private offer(offered: Offer[], reviewable: boolean): void {
    const now = JSON.stringify([offered, reviewable, this.inReview]);
    if (now === this.offered) return;
    this.offered = now;
    const review = element("button", { type: "button" }, tell(this.inReview ? "leaveReview" : "review"));
    review.addEventListener("click", () => this.reviewing(!this.inReview));
    this.buttons.replaceChildren(...(reviewable ? [review] : []), ...offered.map((offer) => this.button(offer)));
  }

  private button({ step, main, because, ask }: Offer): HTMLButtonElement {
    const made = element(
      "button",
      { type: "button", class: main ? "primary" : null, "data-step": step, disabled: because !== undefined, "aria-describedby": because ? "why" : null },
      tell(step),
    );
    const go = (): void => void this.go(step);
    made.addEventListener("click", () => (ask ? confirm(made, ask, tell("yes"), tell("no"), go) : go()));
    return made;
  }

  private async go(step: Offer["step"]): Promise<void> {
    const { session } = this;
    if (step === "abandon") await abandon(session.draft.id).then(this.leave, this.failed);
    else if (step === "unschedule") await this.setDay(null);
    else await this.take(step);
  }

  private async setDay(day: string | null): Promise<void> {
    await amend(this.session.draft.id, { valid_from: day }).then(() => this.session.refresh(), this.failed);
  }

  private async take(step: Step): Promise<void> {
    await this.session.step(step, step === "publish" && this.date.value ? { valid_from: this.date.value } : {});
  }
}
