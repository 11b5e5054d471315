// What is said of a provider's key, without a page. The key itself is never told by the server.

import { text } from "./texts.mjs";

/** How a key stands; `key` is one of the `keys` of GET /kling/keys. */
export function standing(key) {
  if (key.state === "missing") return text("keys.missing");
  const known = { last: key.last_four, variable: key.variable };
  return text(key.last_four ? `keys.${key.state}` : `keys.${key.state}_short`, known);
}

/** What can be done about it: set, replace, remove, test. The environment's key is not ours to change. */
export function choices(key, changeable) {
  const mine = changeable && key.state !== "environment";
  return [
    mine && (key.state === "missing" ? "set" : "replace"),
    mine && key.state === "saved" && "remove",
    key.state !== "missing" && "test",
  ].filter(Boolean);
}

/** Why nothing can be changed from here, or nothing. */
export function hindrance(key, changeable) {
  return changeable || key.state === "environment" ? "" : text("keys.elsewhere", { variable: key.variable });
}

/** What a test of the key brought. */
export function verdict(key, tried) {
  return text(`keys.${tried.verdict}`, { provider: key.title, reason: tried.reason });
}
