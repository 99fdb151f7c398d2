// Which coordinate system: proposals with their evidence first, all others in a list.
import { element } from "../common/dom";
import { pick } from "../common/language";
import type { CrsProposal, Preview } from "./contract";
import { GROUPS, titleOf } from "./systems";
import { tell } from "./words";

/** Proposals that are shown; the rest are hopeless or the same to within a metre. */
const MOST = 4;

/** Shares that differ by less do not decide. */
const CLOSE = 0.1;

function percent(share: number): string {
  const whole = Math.round(share * 100);
  // 0 % and 100 % are none and all.
  return `${share > 0 && share < 1 ? Math.min(Math.max(whole, 1), 99) : whole}%`;
}

export class CrsChoice {
  readonly root = element("fieldset", { class: "crs" });
  private readonly list = element("div", { class: "proposals" });
  private readonly tie = element("p", { class: "tie", hidden: true }, tell("tie"));
  private readonly other: HTMLSelectElement;

  /** `chosen` hears the system, and whether the two columns have to change places. */
  constructor(private readonly chosen: (crs: string, swapped: boolean) => void) {
    this.other = element("select", { "aria-label": tell("otherCrs") });
    this.other.append(
      element("option", { value: "" }, tell("chooseCrs")),
      ...GROUPS.map(({ title, systems }) => {
        const options = systems.map((system) => element("option", { value: system.crs }, pick(system.title)));
        return element("optgroup", { label: pick(title) }, ...options);
      }),
    );
    this.other.addEventListener("change", () => {
      if (this.other.value) this.chosen(this.other.value, false);
    });
    const label = element("label", { class: "other-crs" }, element("span", {}, tell("otherCrs")), this.other);
    this.root.append(element("legend", {}, tell("crs")), this.list, this.tie, label);
  }

  show({ crs }: Preview): void {
    const shown = crs.proposals.slice(0, MOST);
    const own = crs.proposals.find((proposal) => proposal.crs === crs.chosen && !proposal.swapped);
    if (own && !shown.includes(own)) shown.push(own);
    if (!own) {
      const title = titleOf(crs.chosen) ?? { zh: crs.chosen, en: crs.chosen };
      shown.unshift({ crs: crs.chosen, title, inside: null });
    }
    const focused = (document.activeElement as HTMLElement | null)?.dataset.crs;
    this.list.replaceChildren(...shown.map((proposal) => this.option(proposal, crs.chosen, crs.declared)));
    // Proposals that were just swapped have another name now: the focus stays in the group.
    if (focused) (this.list.querySelector<HTMLInputElement>("input:checked") ?? this.other).focus();
    this.other.value = "";
    const best = crs.proposals[0]?.inside ?? 0;
    const close = crs.proposals.filter(({ inside }) => inside !== null && inside > best - CLOSE);
    this.tie.hidden = best < 0.5 || close.length < 2;
  }

  private option({ crs, title, inside, swapped = false }: CrsProposal, chosen: string, declared: string | null): HTMLElement {
    const key = `${crs}${swapped ? "/swapped" : ""}`;
    const input = element("input", { type: "radio", name: "crs", value: key, "data-crs": key });
    input.checked = crs === chosen && !swapped;
    input.addEventListener("change", () => this.chosen(crs, swapped));
    const evidence: string[] = [];
    if (inside !== null) evidence.push(tell("inside", { share: percent(inside) }));
    if (declared === crs && !swapped) evidence.push(tell("declared"));
    const meter = element("span", { class: "meter", "aria-hidden": "true" }, element("i"));
    (meter.firstElementChild as HTMLElement).style.width = `${Math.round((inside ?? 0) * 100)}%`;
    return element(
      "label",
      { class: "proposal" },
      input,
      element("span", { class: "proposal-title" }, pick(title)),
      inside === null ? null : meter,
      element("span", { class: "evidence" }, evidence.join(" · ")),
    );
  }
}
