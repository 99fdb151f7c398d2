// 意见: notes on the draft, pinned to places or not.
import { button, element } from "../common/dom";
import { coordinateText } from "../common/format";
import { minuteText } from "../common/times";
import type { Place } from "./contract";
import * as service from "./service";
import type { Session } from "./session";
import { tell } from "./words";

export interface Pinning {
  /** Ask for a place on the map; null where nobody chose one. */
  pick(): Promise<Place | null>;
  go(place: Place): void;
  failed(error: unknown): void;
}

export class CommentsPanel {
  readonly root: HTMLElement;
  private readonly list = element("ol", { class: "comments" });
  private readonly text = element("textarea", { rows: 3, maxlength: 2000, id: "comment-text", "aria-describedby": "comment-hint" });
  private readonly pinned = element("span", { class: "pinned-at" });
  private place: Place | null = null;

  constructor(
    private readonly session: Session,
    private readonly pinning: Pinning,
  ) {
    const pin = element("button", { type: "button" }, tell("commentPin"));
    pin.addEventListener("click", () => void this.pick().then(() => this.text.focus()));
    const send = element("button", { type: "submit", class: "primary" }, tell("commentSend"));
    const form = element(
      "form",
      { class: "comment-form" },
      element("label", { for: "comment-text" }, tell("commentText")),
      this.text,
      element("p", { id: "comment-hint", class: "note" }, tell("commentHint")),
      element("div", { class: "row" }, pin, this.pinned, send),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.send();
    });
    this.root = element("div", { class: "comments-panel" }, session.mayWrite ? form : null, this.list);
    session.on("comments", () => this.show());
    this.show();
  }

  private async pick(): Promise<void> {
    this.pinned.textContent = tell("commentPinHere");
    this.setPlace(await this.pinning.pick());
  }

  private setPlace(place: Place | null): void {
    this.place = place;
    this.pinned.textContent = place ? tell("commentPinned", { place: coordinateText(...place) }) : "";
  }

  private async send(): Promise<void> {
    const text = this.text.value.trim();
    if (!text) {
      this.text.focus();
      return;
    }
    // Every note stands at a place: who has not pinned it is asked where.
    if (!this.place) await this.pick();
    if (!this.place) return;
    try {
      await service.comment(this.session.draft.id, text, this.place);
      this.text.value = "";
      this.setPlace(null);
      await this.session.refreshComments();
    } catch (error) {
      this.pinning.failed(error);
    }
  }

  /** Show the note that is pinned under a number. */
  open(number: number): void {
    const item = this.list.children[number - 1];
    item?.scrollIntoView({ block: "nearest" });
    item?.querySelector("button")?.focus();
  }

  private show(): void {
    const { comments } = this.session;
    if (comments.length === 0) {
      this.list.replaceChildren(element("li", { class: "note" }, tell("commentsEmpty")));
      return;
    }
    this.list.replaceChildren(
      ...comments.map(({ author, at, text, place }, i) => {
        const number = i + 1;
        const mark = button(tell("commentShow", { n: number }), "pin", String(number));
        mark.addEventListener("click", () => this.pinning.go(place));
        return element("li", {}, mark, element("div", {}, element("p", {}, text), element("small", {}, `${author} · ${minuteText(at)}`)));
      }),
    );
  }
}
