// Steps that did not reach the service when the page was closed: save them, or drop them.
import { element } from "../common/dom";
import { clearFailure, note } from "./failure";
import { stepText } from "./history-panel";
import { dropOperation, pendingOperations } from "./pending";
import type { Session } from "./session";
import { tell } from "./words";

export function offerPending(session: Session): void {
  const { id } = session.draft;
  const operations = pendingOperations(id);
  if (operations.length === 0 || !session.editable) return;
  const save = element("button", { type: "button" }, tell("pendingSave"));
  const drop = element("button", { type: "button" }, tell("pendingDrop"));
  save.addEventListener("click", () => {
    clearFailure();
    void session.resume();
  });
  drop.addEventListener("click", () => {
    clearFailure();
    for (const operation of operations) dropOperation(id, operation);
  });
  const what = operations.map((operation) => stepText(operation, (code) => session.grids.title(code))).join("、");
  note(tell("pendingFound", { n: operations.length, what }), save, drop);
}
