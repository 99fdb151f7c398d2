// The account menu: who is signed in, and where else to go.
import { request } from "../common/api";
import type { Account } from "../common/contract";
import { button, element, icon } from "../common/dom";
import { language, say } from "../common/language";
import { TEXT, type Key } from "../text";
import { toastProblem } from "./toast";

const PERSON = "M10 3a3.2 3.2 0 1 1 0 6.4A3.2 3.2 0 0 1 10 3zM3.5 17a6.5 6.5 0 0 1 13 0";

function roleName(role: string): string {
  return role in TEXT ? say(role as Key) : role;
}

export function signInAddress(): string {
  return `/sign-in?next=${encodeURIComponent(location.pathname + location.search + location.hash)}`;
}

async function signOut(): Promise<void> {
  try {
    await request("/api/account/session", { method: "DELETE" });
    location.reload();
  } catch (error) {
    toastProblem(error);
  }
}

/** `importing`: the account may load files somewhere. */
export function accountMenu(account: Account, importing = false): HTMLElement {
  const toggle = button(say("account"), "round", icon(PERSON));
  toggle.setAttribute("aria-expanded", "false");
  toggle.setAttribute("aria-controls", "account-menu");
  const menu = element("div", { id: "account-menu", class: "menu", hidden: true });
  const area = account.area === "*" ? say("areaAll") : say("areaScope", { area: account.area });
  const name = account.open ? say("openAccount") : account.name;
  menu.append(element("p", { class: "menu-name" }, element("b", {}, name), element("small", {}, `${roleName(account.role)} · ${area}`)));
  if (account.open) menu.append(element("a", { href: signInAddress() }, say("signIn")));
  else {
    const out = element("button", { type: "button" }, say("signOut"));
    out.addEventListener("click", () => void signOut());
    menu.append(out);
  }
  if (account.role === "editor" || account.role === "admin") menu.append(element("a", { href: "/edit" }, say("editLink")));
  if (importing) menu.append(element("a", { href: "/import" }, say("importLink")));
  menu.append(element("a", { href: `/wall?lang=${language}` }, say("wallLink")), element("a", { href: "/docs" }, say("docsLink")));

  const open = (shown: boolean): void => {
    menu.hidden = !shown;
    toggle.setAttribute("aria-expanded", String(shown));
  };
  toggle.addEventListener("click", () => open(menu.hidden === true));
  const root = element("div", { class: "account" }, toggle, menu);
  root.addEventListener("focusout", (event) => {
    if (!root.contains(event.relatedTarget as Node | null)) open(false);
  });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || menu.hidden) return;
    event.stopPropagation();
    open(false);
    toggle.focus();
  });
  // Where a click does not move the focus (Safari), the menu must not close before its link is followed.
  menu.addEventListener("mousedown", (event) => event.preventDefault());
  return root;
}
