// The button that shows the whole town.
import Control from "ol/control/Control";

import { button, element, icon } from "../common/dom";
import { say } from "../common/language";

const FRAME = "M3 7.5V3h4.5M12.5 3H17v4.5M17 12.5V17h-4.5M7.5 17H3v-4.5";

export function fitButton(fit: () => void): Control {
  const made = button(say("fit"), "", icon(FRAME));
  made.addEventListener("click", fit);
  return new Control({ element: element("div", { class: "ol-fit ol-unselectable ol-control" }, made) });
}
