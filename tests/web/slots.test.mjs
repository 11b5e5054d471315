import assert from "node:assert/strict";
import { test } from "node:test";
import { connectedInputs, fitSlots, gapIn, numberedSockets, shownOf } from "../../web/slots.mjs";

const EDIT = Array.from({ length: 10 }, (_, place) => `image_${place + 1}`);
const SUBJECTS = ["subject_image_1", "subject_image_2", "subject_image_3", "subject_image_4"];
const MULTI = [...SUBJECTS, "scene_image", "style_image"];

/** A node as litegraph has it: inputs by place, links that know their input's place. */
class Node {
  constructor(names, linked = []) {
    this.inputs = names.map((name) => ({ name, type: "IMAGE" }));
    this.links = linked.map((name) => ({ name, target_slot: names.indexOf(name) }));
  }
  getInputLink(place) {
    return this.links.find((link) => link.target_slot === place) ?? null;
  }
  addInput(name, type, properties) {
    this.inputs.push({ name, type, ...properties });
  }
  removeInput(place) {
    assert.equal(this.getInputLink(place), null, "a connected socket is never taken away");
    this.inputs.splice(place, 1);
    for (const link of this.links) if (link.target_slot > place) link.target_slot -= 1;
  }
  get names() {
    return this.inputs.map((input) => input.name);
  }
}

const fit = (node, order) => fitSlots(node, numberedSockets(order), order, () => ({ type: "IMAGE", shape: 7 }));

function assertLinksHold(node) {
  for (const link of node.links) assert.equal(node.inputs[link.target_slot].name, link.name);
}

test("sockets that come in numbers are found by their names", () => {
  assert.deepEqual(numberedSockets(["prompt", ...EDIT, "model"]), [EDIT]);
  assert.deepEqual(numberedSockets(MULTI), [SUBJECTS]);
  assert.deepEqual(numberedSockets(["image", "prompt"]), []);
});

test("what is connected is shown, and the first that is free", () => {
  assert.deepEqual(shownOf(EDIT, new Set()), ["image_1"]);
  assert.deepEqual(shownOf(EDIT, new Set(["image_1"])), ["image_1", "image_2"]);
  assert.deepEqual(shownOf(EDIT, new Set(["image_1", "image_3"])), ["image_1", "image_2", "image_3"]);
  assert.deepEqual(shownOf(EDIT, new Set(["image_3"])), ["image_1", "image_3"]);
  assert.deepEqual(shownOf(EDIT, new Set(EDIT)), EDIT);
});

test("a new node shows one socket of a kind, and every socket that has a name of its own", () => {
  const node = new Node([...MULTI, "prompt"]);
  fit(node, MULTI);
  assert.deepEqual(node.names, ["subject_image_1", "scene_image", "style_image", "prompt"]);
});

test("a socket that comes back stands in the schema's order, and every link stays with its input", () => {
  const names = ["subject_image_1", "scene_image", "style_image", "prompt"];
  const node = new Node(names, ["subject_image_1", "style_image"]);
  assert.equal(fit(node, MULTI), true);
  assert.deepEqual(node.names, ["subject_image_1", "subject_image_2", "scene_image", "style_image", "prompt"]);
  assert.deepEqual(node.inputs[1], { name: "subject_image_2", type: "IMAGE", shape: 7 });
  assertLinksHold(node);
});

test("a socket of a node whose order was saved otherwise goes before what comes later", () => {
  const node = new Node(["image_1", "prompt"], ["image_1"]);
  fit(node, EDIT);
  assert.deepEqual(node.names, ["image_1", "prompt", "image_2"]);
});

test("a saved gap stays, with its links", () => {
  const node = new Node(EDIT, ["image_2", "image_5"]);
  fit(node, EDIT);
  assert.deepEqual(node.names, ["image_1", "image_2", "image_5"]);
  assertLinksHold(node);
});

test("a node that shows what it should is not touched", () => {
  const node = new Node(["image_1", "image_2"], ["image_1"]);
  assert.equal(fit(node, EDIT), false);
});

test("a gap is the first empty socket before a connected one", () => {
  assert.equal(gapIn([EDIT], new Set(["image_2"])), "image_1");
  assert.equal(gapIn([EDIT], new Set(["image_1", "image_4"])), "image_2");
  assert.equal(gapIn([EDIT], new Set(["image_1", "image_2"])), null);
  assert.equal(gapIn([EDIT], new Set()), null);
});

test("connected inputs are told by name", () => {
  assert.deepEqual(connectedInputs(new Node(EDIT, ["image_2"])), new Set(["image_2"]));
});
