// The sign-in page.
import "./sign-in.css";

import { request } from "./common/api";
import { button, byId, element } from "./common/dom";
import { say, switchLanguage } from "./common/language";

/** Where to go afterwards: a path of this site and nothing else. */
function next(): string {
  const asked = new URLSearchParams(location.search).get("next") ?? "/";
  // "//host" and "/\host" are other hosts, and browsers drop tabs and line breaks inside addresses.
  return /^\/(?![/\\])[^\t\r\n]*$/.test(asked) ? asked : "/";
}

const username = element("input", { name: "username", autocomplete: "username", autocapitalize: "none", spellcheck: "false" });
const password = element("input", { name: "password", type: "password", autocomplete: "current-password" });
const refusal = element("p", { class: "refusal", role: "alert", hidden: true });
const submit = element("button", { type: "submit" }, say("signIn"));
const form = element(
  "form",
  { novalidate: true },
  element("label", {}, say("username"), username),
  element("label", {}, say("password"), password),
  refusal,
  submit,
);

function refuse(sentence: string): void {
  refusal.textContent = sentence;
  refusal.hidden = false;
}

async function signIn(): Promise<void> {
  if (!username.value.trim() || !password.value) {
    refuse(say("signInEmpty"));
    (username.value.trim() ? password : username).focus();
    return;
  }
  refusal.hidden = true;
  submit.disabled = true;
  submit.textContent = say("signingIn");
  try {
    await request("/api/account/session", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ username: username.value.trim(), password: password.value }),
    });
    location.replace(next());
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error));
    password.select();
  } finally {
    submit.disabled = false;
    submit.textContent = say("signIn");
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void signIn();
});

const other = button(say("otherLanguageTitle"), "language", say("otherLanguage"));
other.addEventListener("click", switchLanguage);
document.title = `${say("signInTitle")} · ${say("service")}`;
byId("sign-in").append(
  element("header", {}, element("img", { src: "/static/icon.svg", alt: "" }), element("h1", {}, say("service")), other),
  form,
);
username.focus();
