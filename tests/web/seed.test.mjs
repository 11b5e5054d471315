import assert from "node:assert/strict";
import { test } from "node:test";
import { holdSeed } from "../../web/seed.js";

const widget = (name, value, linkedWidgets) => ({ name, value, linkedWidgets });

test("a new node keeps its seed after a run", () => {
  const control = widget("control_after_generate", "randomize");
  holdSeed({ widgets: [widget("prompt", ""), widget("seed", 0, [control]), control] });
  assert.equal(control.value, "fixed");
});

test("the control is found where an older editor does not link it to the seed", () => {
  const control = widget("control_after_generate", "randomize");
  holdSeed({ widgets: [widget("seed", 0), control] });
  assert.equal(control.value, "fixed");
});

test("the seed itself and other widgets stay as they are", () => {
  const seed = widget("seed", 7);
  holdSeed({ widgets: [seed, widget("n", 3)] });
  assert.equal(seed.value, 7);
});

test("a node without widgets is left alone", () => {
  assert.doesNotThrow(() => holdSeed({}));
});
