// Choosing the time window: presets, or days from and to.
import { element } from "../common/dom";
import { say } from "../common/language";
import { PRESETS, readWindow } from "../common/times";
import type { State } from "./state";
import { toast } from "./toast";

export function windowPicker(state: State): HTMLElement {
  const presets = element("div", { class: "presets", role: "group", "aria-label": say("window") });
  const buttons = PRESETS.map((preset) => {
    const made = element("button", { type: "button", "data-preset": preset }, say(preset));
    made.addEventListener("click", () => state.setWindow({ preset }));
    presets.append(made);
    return { preset, made };
  });
  const from = element("input", { type: "date", "aria-label": say("from") });
  const to = element("input", { type: "date", "aria-label": say("to") });
  const custom = (): void => {
    const window = readWindow(`${from.value}/${to.value}`);
    if (window) state.setWindow(from.value || to.value ? window : { preset: "all" });
    else toast(say("windowWrong"));
  };
  from.addEventListener("change", custom);
  to.addEventListener("change", custom);

  const follow = (): void => {
    const { window } = state;
    for (const { preset, made } of buttons) {
      made.setAttribute("aria-pressed", String("preset" in window && window.preset === preset));
    }
    from.value = "from" in window ? window.from : "";
    to.value = "to" in window ? window.to : "";
  };
  state.on("window", follow);
  follow();

  return element(
    "section",
    { class: "block", "aria-label": say("window") },
    element("h2", {}, say("window"), element("small", {}, say("windowNote"))),
    presets,
    element(
      "div",
      { class: "days" },
      element("label", {}, element("span", {}, say("from")), from),
      element("label", {}, element("span", {}, say("to")), to),
    ),
  );
}
