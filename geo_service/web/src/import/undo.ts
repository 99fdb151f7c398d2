// Taking an import back, after a question.
import { element } from "../common/dom";
import { count } from "../common/format";
import { confirm } from "./confirm";
import type { ImportRecord } from "./contract";
import { announce, clearNotice, failure } from "./notice";
import { undo } from "./service";
import { tell } from "./words";

/** The button that undoes an import; `done` hears what it has become. */
export function undoButton(imported: ImportRecord, label: string, done: (now: ImportRecord) => void): HTMLButtonElement {
  const made = element("button", { type: "button", class: "undo", "aria-label": tell("undoFile", { file: imported.file }) }, label);
  const run = async (): Promise<void> => {
    clearNotice();
    made.disabled = true;
    made.textContent = tell("undoing");
    try {
      const now = await undo(imported.id);
      announce(tell("undone", { file: imported.file }));
      done(now);
    } catch (error) {
      made.disabled = false;
      made.textContent = label;
      failure(error, () => void run());
    }
  };
  made.addEventListener("click", () => {
    const { inserted = 0, updated = 0 } = imported.report ?? {};
    const question = tell("undoAsk", { inserted: count(inserted), updated: count(updated) });
    confirm(made, question, tell("undoYes"), tell("no"), () => void run());
  });
  return made;
}
