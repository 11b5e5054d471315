// The pack's door to the editor: the only file that imports ComfyUI's app.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { keepTexts, translateDefinition, translateNode } from "./node_texts.js";
import { holdSeed } from "./seed.js";

const CATEGORY = "Kling";
const SOURCE_LANGUAGE = "en";

app.registerExtension({
  name: "kling.images",
  async addCustomNodeDefs(definitions) {
    const locale = app.extensionManager.setting.get("Comfy.Locale") ?? SOURCE_LANGUAGE;
    if (locale === SOURCE_LANGUAGE) return;
    keepTexts(await (await api.fetchApi("/i18n")).json(), locale);
    Object.values(definitions).filter((definition) => definition.category === CATEGORY).forEach(translateDefinition);
  },
  nodeCreated(node) {
    if (node.constructor?.nodeData?.category !== CATEGORY) return;
    holdSeed(node);
    translateNode(node);
  },
});
