// The pack's door to the editor: the only file that imports ComfyUI's app.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { addNodeTexts } from "./node_texts.js";
import { holdSeed } from "./seed.js";

const CATEGORY = "Kling";

app.registerExtension({
  name: "kling.images",
  nodeCreated(node) {
    if (node.constructor?.nodeData?.category === CATEGORY) holdSeed(node);
  },
});

addNodeTexts(app, api);
