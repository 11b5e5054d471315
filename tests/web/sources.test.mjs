import assert from "node:assert/strict";
import { test } from "node:test";
import { chosenFile, sourceOf } from "../../web/sources.mjs";

const view = ({ filename, subfolder = "", type }) => `${type}:${subfolder}/${filename}`;

/** A graph of nodes by id; `links` are [from, to] pairs, each into the input `image` of a node. */
function graphOf(nodes, links) {
  const graph = { getNodeById: (id) => nodes[id] };
  for (const [id, node] of Object.entries(nodes)) {
    const from = links.find(([, to]) => to === id)?.[0];
    const next = links.filter(([source]) => source === id).map(([, to]) => nodes[to]);
    Object.assign(node, { id, graph, inputs: [{ name: "image" }] });
    node.getInputLink = () => (from ? { origin_id: from, origin_slot: 0 } : null);
    node.getOutputNodes = () => next;
  }
  return nodes;
}

const loader = (value) => ({ type: "LoadImage", widgets: [{ name: "image", value }], outputs: [{}] });

test("a loading node's file is found with its folder and kind", () => {
  assert.deepEqual(chosenFile(loader("lake.png")), { filename: "lake.png", subfolder: "", type: "input" });
  assert.deepEqual(chosenFile(loader("a/b/lake.png")), { filename: "lake.png", subfolder: "a/b", type: "input" });
  assert.deepEqual(chosenFile(loader("lake.png [output]")), { filename: "lake.png", subfolder: "", type: "output" });
  const temporary = { filename: "two words.jpeg", subfolder: "", type: "temp" };
  assert.deepEqual(chosenFile(loader("two words.jpeg [temp]")), temporary);
});

test("what is no picture's name is none", () => {
  assert.equal(chosenFile(loader("model.safetensors")), null);
  assert.equal(chosenFile(loader(null)), null);
  assert.equal(chosenFile({}), null);
});

test("a picture that is loaded is known, and is one", () => {
  const { kling } = graphOf({ lake: loader("lake.png"), kling: {} }, [["lake", "kling"]]);
  const found = sourceOf(kling, "image", view);
  assert.equal(found.url, "input:/lake.png");
  assert.equal(found.single, true);
});

test("it is found past reroutes", () => {
  const nodes = { lake: loader("lake.png"), one: { type: "Reroute" }, two: { type: "Reroute" }, kling: {} };
  const { kling } = graphOf(nodes, [["lake", "one"], ["one", "two"], ["two", "kling"]]);
  assert.equal(sourceOf(kling, "image", view).url, "input:/lake.png");
});

test("reroutes that go round in a circle find nothing", () => {
  const nodes = { one: { type: "Reroute" }, two: { type: "Reroute" }, kling: {} };
  const { kling } = graphOf(nodes, [["one", "two"], ["two", "one"], ["two", "kling"]]);
  assert.equal(sourceOf(kling, "image", view).url, null);
});

test("of a node that makes pictures, the last one it or a preview beside it showed is known; it may be a batch", () => {
  const [maker, preview] = [{ type: "KlingT2I", outputs: [{}] }, { type: "PreviewImage", outputs: [] }];
  const nodes = { maker, preview, kling: {} };
  const { kling } = graphOf(nodes, [["maker", "preview"], ["maker", "kling"]]);
  assert.deepEqual(sourceOf(kling, "image", view), { node: nodes.maker, url: null, single: false });
  const outputs = { preview: { images: [{ filename: "kling_1.png", type: "temp" }] } };
  assert.equal(sourceOf(kling, "image", view, outputs).url, "temp:/kling_1.png");
  assert.equal(sourceOf(kling, "image", view, outputs).single, false);
});

test("nothing connected is null", () => {
  const { kling } = graphOf({ kling: {} }, []);
  assert.equal(sourceOf(kling, "image", view), null);
  assert.equal(sourceOf(kling, "no such input", view), null);
});
