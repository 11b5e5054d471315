import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as frame from "../../web/expand_frame.mjs";

const cases = JSON.parse(readFileSync(new URL("shared_cases.json", import.meta.url), "utf-8"));
const { NOTHING, SIDES } = frame;
const named = ([up, down, left, right]) => ({ up, down, left, right });

test("limits and shapes are the pack's own", () => {
  assert.equal(frame.LARGEST_AREA, cases.limits.area);
  assert.deepEqual(frame.RATIOS, cases.limits.ratios);
  assert.deepEqual(SIDES.map((side) => `${side}_expansion_ratio`), cases.limits.sides);
});

test("a target shape is reached by exactly what the pack sends, and refused where it refuses", () => {
  assert.ok(cases.frames.length > 100);
  for (const { target, anchor, width, height, problem = null, ratios, area } of cases.frames) {
    const told = frame.expansionTo(target, anchor, width, height);
    const where = `${target} ${anchor} ${width}×${height}`;
    assert.equal(told.problem, problem, where);
    if (!problem) assert.deepEqual(told.expansion, named(ratios), where);
    if (!problem) assert.equal(frame.areaOf(told.expansion), area, where);
  }
});

test("four ratios are refused exactly where the pack refuses them", () => {
  for (const { ratios, problem } of cases.expansions) {
    assert.equal(frame.problemOf(named(ratios)), problem, String(ratios));
  }
});

test("an edge stops where the new area reaches three times the old, and never beyond two", () => {
  assert.equal(frame.stopOf(NOTHING, "left"), 2);
  assert.equal(frame.stopOf({ ...NOTHING, up: 1 }, "left"), 0.5);
  assert.equal(frame.stopOf({ ...NOTHING, right: 1.5 }, "left"), 0.5);
  assert.equal(frame.stopOf({ ...NOTHING, up: 2 }, "right"), 0);
  for (let up = 0; up <= 200; up += 7) {
    const expansion = { ...NOTHING, up: up / 100, right: 0.1 };
    const full = { ...expansion, left: frame.held(expansion, "left", 9) };
    assert.equal(frame.problemOf(full) === "beyond" && full.left > 0, false, String(up));
  }
});

test("values are whole steps, from nothing up", () => {
  assert.equal(frame.held(NOTHING, "up", -0.4), 0);
  assert.equal(frame.held(NOTHING, "up", 0.123456), 0.12);
  assert.equal(frame.held(NOTHING, "up", 0.29), 0.29);
});

test("an edge rests at quarters, opposite its twin and where the frame has a named shape", () => {
  assert.equal(frame.snapped(NOTHING, "left", 0.27, 0.03, 1), 0.25);
  assert.equal(frame.snapped({ ...NOTHING, right: 0.4 }, "left", 0.41, 0.03, 1), 0.4);
  assert.equal(frame.snapped(NOTHING, "left", 0.76, 0.03, 1), 0.75);
  assert.equal(frame.snapped(NOTHING, "left", 0.79, 0.03, 1), 0.78, "a square becomes 16:9");
  assert.equal(frame.snapped(NOTHING, "left", 0.62, 0.03, 1), 0.62, "nothing is near");
  assert.equal(frame.snapped({ ...NOTHING, up: 1 }, "left", 0.9, 0.03, 1), 0.5, "the stop is kept");
});

test("the frame's shape is named where it has one", () => {
  assert.equal(frame.shapeOf({ ...NOTHING, left: 0.39, right: 0.39 }, 1), "16:9");
  assert.equal(frame.shapeOf(NOTHING, 1.5), "3:2");
  assert.equal(frame.shapeOf(NOTHING, 1.4), null);
});
