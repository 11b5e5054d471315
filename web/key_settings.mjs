// Adds the keys to ComfyUI's settings, and says once that pictures come from the sandbox.

import { keyRow } from "./keys_row.mjs";
import { text } from "./texts.mjs";

const TOLD = "Kling.SandboxTold";
/** Remembers, for a user of ComfyUI, that the sandbox has been spoken of. */
export const SANDBOX_TOLD = { id: TOLD, name: TOLD, type: "hidden", defaultValue: false };
const TOAST_SECONDS = 12;

/** A setting whose row is ours: it has no value, so ComfyUI stores none. */
export async function addKeySettings(app, host) {
  const { keys } = await host.get("/kling/keys");
  const row = ([name, key], place) => ({
    id: `Kling.Key.${name}`,
    name: key.title,
    tooltip: text("keys.tooltip"),
    category: ["Kling", "Keys", key.title],
    type: () => keyRow(name, host),
    defaultValue: undefined,
    sortOrder: -place,
  });
  // Newer editors go by sortOrder, older ones show what was added last first.
  app.registerExtension({ name: "kling.keys", settings: Object.entries(keys).map(row).reverse() });
}

/** The first time that pictures come from the sandbox because no key is set, says so. */
export function tellOfSandbox(api, host) {
  api.addEventListener("execution_start", async () => {
    if (host.setting(TOLD) || !host.hasNode(asksAuto)) return;
    const { auto_is_sandbox: isSandbox, keys } = await host.get("/kling/keys");
    if (!isSandbox || Object.values(keys).some((key) => key.state !== "missing")) return;
    await host.setting(TOLD, true);
    host.tell("info", text("keys.first_run"), TOAST_SECONDS);
  });
}

const isAuto = (widget) => widget.name === "provider" && widget.value === "auto";
const asksAuto = (node) => String(node.type).startsWith("Kling") && node.widgets?.some(isAuto);
