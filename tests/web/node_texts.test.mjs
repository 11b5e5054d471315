import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { keepTexts, translateDefinition, translateNode } from "../../web/node_texts.mjs";

const OWN = {
  display_name: "文生图",
  description: "生成图像。",
  inputs: { prompt: { name: "提示词", tooltip: "写什么" }, seed: { name: "种子", tooltip: "换一张" } },
  outputs: { 0: { name: "图像", tooltip: "成图" } },
};

const definition = () => ({
  name: "KlingT2I",
  display_name: "Text to Image",
  description: "Makes pictures.",
  input: {
    required: { prompt: ["STRING", { tooltip: "What", multiline: true }] },
    optional: {
      seed: ["INT", { tooltip: "Change it" }],
      later: ["INT", { tooltip: "Not translated yet" }],
      bare: ["IMAGE"],
    },
    hidden: { extra_pnginfo: ["EXTRA_PNGINFO"] },
  },
  output_tooltips: ["The pictures", "The handle"],
});

beforeEach(() => keepTexts({ zh: { nodeDefs: { KlingT2I: OWN } } }, "zh"));

test("a definition gets title, description and tooltips of the language", () => {
  const given = definition();
  translateDefinition(given);
  assert.equal(given.display_name, "文生图");
  assert.equal(given.description, "生成图像。");
  assert.deepEqual(given.input.required.prompt, ["STRING", { tooltip: "写什么", multiline: true }]);
  assert.equal(given.input.optional.seed[1].tooltip, "换一张");
  assert.deepEqual(given.output_tooltips, ["成图", "The handle"]);
});

test("what the language has no text for stays as it is", () => {
  const given = definition();
  translateDefinition(given);
  assert.equal(given.input.optional.later[1].tooltip, "Not translated yet");
  assert.deepEqual(given.input.optional.bare, ["IMAGE"]);
  const other = { ...definition(), name: "Other" };
  translateDefinition(other);
  assert.equal(other.display_name, "Text to Image");
});

test("a language without texts changes nothing", () => {
  keepTexts({ zh: {} }, "fr");
  const given = definition();
  translateDefinition(given);
  assert.deepEqual(given, definition());
});

test("a node's sockets and widgets are labelled and keep their names", () => {
  const node = {
    comfyClass: "KlingT2I",
    inputs: [{ name: "prompt" }, { name: "later", localized_name: "later" }],
    widgets: [{ name: "seed" }, { name: "control_after_generate", label: "after" }],
    outputs: [{ name: "images" }, { name: "task", localized_name: "task" }],
  };
  translateNode(node);
  assert.deepEqual(node.inputs, [
    { name: "prompt", localized_name: "提示词" },
    { name: "later", localized_name: "later" },
  ]);
  assert.deepEqual(node.widgets, [
    { name: "seed", label: "种子" },
    { name: "control_after_generate", label: "after" },
  ]);
  assert.deepEqual(node.outputs, [
    { name: "images", localized_name: "图像" },
    { name: "task", localized_name: "task" },
  ]);
});

test("a node of another pack, or without sockets, is left alone", () => {
  assert.doesNotThrow(() => translateNode({ comfyClass: "KlingT2I" }));
  const other = { comfyClass: "Other", inputs: [{ name: "prompt" }] };
  translateNode(other);
  assert.deepEqual(other.inputs, [{ name: "prompt" }]);
});
