// 历史: every step of the draft, the last first; those undone are struck through.
import { element } from "../common/dom";
import { minuteText } from "../common/times";
import { toastProblem } from "../map/toast";
import type { Done, Operation } from "./contract";
import * as service from "./service";
import type { Session } from "./session";
import { tell, type Word } from "./words";

/** A step in a few words. */
export function stepText(operation: Operation, titled: (code: string) => string): string {
  const code = "code" in operation ? operation.code : "into" in operation ? operation.into : "to_code" in operation ? operation.to_code : "";
  return tell(`op-${operation.operation}` as Word, { code: titled(code) });
}

export class HistoryPanel {
  readonly root = element("div", { class: "history-panel" });
  private shown = false;
  private asked = 0;

  constructor(
    private readonly session: Session,
    private readonly titled: (code: string) => string,
  ) {
    session.on("draft", () => {
      if (this.shown) void this.refresh();
    });
  }

  open(shown: boolean): void {
    this.shown = shown;
    if (shown) void this.refresh();
  }

  private async refresh(): Promise<void> {
    const asked = ++this.asked;
    try {
      const done = await service.history(this.session.draft.id);
      if (asked === this.asked) this.show(done);
    } catch (error) {
      toastProblem(error);
    }
  }

  private show(done: Done[]): void {
    if (done.length === 0) {
      this.root.replaceChildren(element("p", { class: "note" }, tell("historyEmpty")));
      return;
    }
    const list = element("ol", { class: "steps-done" });
    for (const { seq, operation, author, at, undone } of [...done].sort((a, b) => b.seq - a.seq)) {
      list.append(
        element(
          "li",
          { class: undone ? "undone" : null, value: seq },
          element("span", { class: "number" }, String(seq)),
          element("b", {}, stepText(operation, this.titled)),
          undone ? element("em", {}, tell("undone")) : null,
          element("small", {}, `${author} · ${minuteText(at)}`),
        ),
      );
    }
    this.root.replaceChildren(list);
  }
}
