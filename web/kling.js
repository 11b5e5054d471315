// The pack's door to the editor: the only file that imports ComfyUI's app.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { Host } from "./host.js";
import { SANDBOX_TOLD, addKeySettings, tellOfSandbox } from "./key_settings.js";
import { NodeParts } from "./node_parts.js";
import { addNodeTexts } from "./node_texts.js";
import { holdSeed } from "./seed.js";
import { addTasksTab } from "./tasks_tab.js";
import { useLocale } from "./texts.js";

const CATEGORY = "Kling";
const parts = new NodeParts(app, api);

app.registerExtension({
  name: "kling.images",
  settings: [SANDBOX_TOLD],
  async setup() {
    const host = new Host(app, api);
    host.keysChanged = () => parts.catalog.refresh();
    for (const name of ["kling.css", "widgets.css"]) addStyle(name);
    parts.listen();
    await useLocale(host.setting("Comfy.Locale"), readJson);
    addTasksTab(app, api, host);
    tellOfSandbox(api, host);
    // Not waited for: the editor starts meanwhile.
    addKeySettings(app, host).catch((error) => console.error(`Kling: no settings for keys: ${error.message}`));
  },
  nodeCreated(node) {
    if (node.constructor?.nodeData?.category === CATEGORY) holdSeed(node);
    parts.created(node, CATEGORY);
  },
});

addNodeTexts(app, api);

function addStyle(file) {
  const link = document.createElement("link");
  Object.assign(link, { rel: "stylesheet", href: new URL(file, import.meta.url).href });
  document.head.append(link);
}

async function readJson(file) {
  return (await fetch(new URL(file, import.meta.url))).json();
}
