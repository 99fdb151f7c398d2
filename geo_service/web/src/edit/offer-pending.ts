// A step that did not reach the service when the page was closed: save it, or drop it.
import { element } from "../common/dom";
import { clearFailure, note } from "./failure";
import { stepText } from "./history-panel";
import { keepOperation, pendingOperation } from "./pending";
import type { Session } from "./session";
import { tell } from "./words";

export function offerPending(session: Session): void {
  const { id } = session.draft;
  const operation = pendingOperation(id);
  if (!operation || !session.editable) return;
  const save = element("button", { type: "button" }, tell("pendingSave"));
  const drop = element("button", { type: "button" }, tell("pendingDrop"));
  save.addEventListener("click", () => {
    clearFailure();
    void session.do(operation);
  });
  drop.addEventListener("click", () => {
    clearFailure();
    keepOperation(id, null);
  });
  note(tell("pendingFound", { what: stepText(operation, (code) => session.grids.title(code)) }), save, drop);
}
