import assert from "node:assert/strict";
import { test } from "node:test";
import { NOTHING } from "../../web/expand_frame.mjs";
import { boxesOn, keyed, pulled, viewOf } from "../../web/expand_layout.mjs";

const near = (one, other) => assert.ok(Math.abs(one - other) < 1e-9, `${one} is not ${other}`);

test("the frame keeps its proportions and stays on the stage", () => {
  const expansion = { up: 0.25, down: 0, left: 1, right: 0.5 };
  const { picture, frame } = boxesOn(400, 200, 1.5, expansion, viewOf(expansion));
  near(picture.width / picture.height, 1.5);
  near(frame.width, picture.width * 2.5);
  near(frame.height, picture.height * 1.25);
  near(picture.left - frame.left, picture.width);
  near(picture.top - frame.top, picture.height * 0.25);
  assert.ok(frame.left >= 0 && frame.top >= 0 && frame.left + frame.width <= 400 && frame.top + frame.height <= 200);
});

test("there is room beside the picture to pull an edge into", () => {
  const { picture } = boxesOn(300, 300, 1, NOTHING, viewOf(NOTHING));
  assert.ok(picture.left >= 0.25 * picture.width);
});

test("while an edge is pulled the view never narrows", () => {
  const held = viewOf({ ...NOTHING, left: 1 });
  assert.equal(viewOf(NOTHING, held).left, held.left);
});

test("pulling outwards grows, in shares of the picture", () => {
  const picture = { width: 200, height: 100 };
  assert.equal(pulled("left", -50, 0, picture), 0.25);
  assert.equal(pulled("right", 50, 0, picture), 0.25);
  assert.equal(pulled("up", 0, -50, picture), 0.5);
  assert.equal(pulled("down", 0, 50, picture), 0.5);
});

test("an arrow moves the edge the way it points, the others as on any slider", () => {
  assert.equal(keyed("left", "ArrowLeft", false, 0.5, 2), 0.51);
  assert.equal(keyed("left", "ArrowRight", false, 0.5, 2), 0.49);
  assert.equal(keyed("down", "ArrowDown", false, 0.5, 2), 0.51);
  assert.equal(keyed("left", "ArrowUp", false, 0.5, 2), 0.51);
  assert.equal(keyed("up", "ArrowUp", true, 0.5, 2), 0.6);
  assert.equal(keyed("up", "Home", false, 0.5, 2), 0);
  assert.equal(keyed("up", "End", false, 0.5, 1.4), 1.4);
  assert.equal(keyed("up", "Tab", false, 0.5, 2), null);
});
