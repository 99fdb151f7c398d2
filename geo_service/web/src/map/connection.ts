// The dot that tells whether changes arrive by themselves.
import { element } from "../common/dom";
import { say } from "../common/language";
import { clockText } from "../common/times";

export class Connection {
  private readonly text = element("span", {}, say("connecting"));
  readonly root = element("div", { class: "connection", role: "status", "data-live": "connecting" }, element("i", { "aria-hidden": "true" }), this.text);
  private last: Date | null = null;

  connected(up: boolean): void {
    this.root.dataset.live = up ? "up" : "down";
    this.show(up);
  }

  changed(): void {
    this.last = new Date();
    this.show(true);
  }

  private show(up: boolean): void {
    const last = this.last ? ` · ${say("lastChange", { at: clockText(this.last) })}` : "";
    this.text.textContent = say(up ? "live" : "reconnecting") + last;
  }
}
