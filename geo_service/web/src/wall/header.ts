// Clock, title and the state of the connection.
import type { Catalogue } from "../common/contract";
import { element } from "../common/dom";
import { pick, say } from "../common/language";
import { clockText, dateText } from "../common/times";

export class Header {
  private readonly clock = element("span", { class: "clock" });
  private readonly date = element("span", {});
  private readonly title = element("h1", {}, say("wallTitle"));
  private readonly connection = element("div", { class: "connection", role: "status", "data-live": "connecting" });
  private readonly words = element("span", {}, say("connecting"));
  private readonly state = element("div", { class: "state" }, this.connection);
  readonly root = element(
    "header",
    { class: "header" },
    element("div", { class: "now" }, this.clock, this.date),
    this.title,
    this.state,
  );
  /** How far the service's clock is ahead of this PC's: the wall shows the service's. */
  private ahead = 0;

  constructor() {
    this.connection.append(element("i", { "aria-hidden": "true" }), this.words);
    this.tick();
  }

  town({ town }: Catalogue): void {
    this.title.replaceChildren(element("span", {}, pick(town.name)), ` ${say("wallTitle")}`);
    document.title = `${pick(town.name)} · ${say("wallTitle")}`;
    if (town.demo) this.state.prepend(element("div", { class: "badge" }, say("demo")));
  }

  private tick(): void {
    const now = new Date(Date.now() + this.ahead);
    this.clock.textContent = clockText(now);
    this.date.textContent = dateText(now);
    setTimeout(() => this.tick(), 1000 - (now.getTime() % 1000));
  }

  /** The data are of `at`, by the service's clock. */
  fresh(at: string): void {
    this.ahead = Date.parse(at) - Date.now();
    this.connection.dataset.live = "up";
    this.words.textContent = `${say("live")} · ${clockText(new Date(at))}`;
  }

  lost(at: string | null): void {
    this.connection.dataset.live = "down";
    this.words.textContent = at
      ? say("connectionLost", { at: clockText(new Date(at)) })
      : say("connectionLostEmpty");
  }
}
