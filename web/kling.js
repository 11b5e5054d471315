// The pack's door to the editor, and all that it waits for: the rest comes when it has started.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { holdSeed } from "./seed.js";

let texts = null;
let begun = null;

app.registerExtension({
  name: "kling.images",
  async addCustomNodeDefs(definitions) {
    const locale = app.extensionManager.setting.get("Comfy.Locale") ?? "en";
    if (locale === "en") return;
    texts = await import("./node_texts.mjs");
    texts.keepTexts(await (await api.fetchApi("/i18n")).json(), locale);
    Object.values(definitions).filter(isOurs).forEach(texts.translateDefinition);
  },
  // Where no workflow is opened.
  setup: () => void setTimeout(begin, 3000),
  // A workflow that has our nodes is opened when all that they show is there.
  beforeConfigureGraph: (workflow) => JSON.stringify(workflow).includes('"type":"Kling') && begin(),
  afterConfigureGraph: () => void setTimeout(begin, 300),
  nodeCreated(node) {
    texts?.translateNode(node);
    if (!isOurs(node.constructor?.nodeData)) return;
    holdSeed(node);
    begin();
  },
});

function isOurs(definition) {
  return definition?.category === "Kling";
}

/** Brings everything else, once. */
function begin() {
  begun ??= import("./parts.mjs")
    .then((parts) => parts.start(app, api, isOurs))
    .catch((error) => console.error(`Kling has not started: ${error.message}`));
  return begun;
}
