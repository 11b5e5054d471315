import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { begunName, offered, withName, wrongNames } from "../../web/references.mjs";

const cases = JSON.parse(readFileSync(new URL("shared_cases.json", import.meta.url), "utf-8")).references;
const why = (...given) => wrongNames(...given).map((wrong) => wrong.why);

test("a name is marked exactly where the pack refuses it", () => {
  assert.ok(cases.length > 30);
  for (const { prompt, pictures, gap, why: told } of cases) {
    assert.equal(wrongNames(prompt, pictures, gap)[0]?.why ?? null, told, `${prompt} with ${pictures}, gap ${gap}`);
  }
});

test("every wrong name is told once", () => {
  const wrong = wrongNames("@Image3 and @Image4 and @Image3, not @Image1", 2);
  assert.deepEqual(wrong.map(({ name }) => name), ["@Image3", "@Image4"]);
  assert.deepEqual(wrong[0], { name: "@Image3", why: "beyond", count: 2 });
});

test("where a batch may hold more, a high number is only perhaps wrong", () => {
  assert.deepEqual(why("@Image3", 2, null, false), ["perhaps"]);
  assert.deepEqual(why("@Image0", 2, null, false), ["beyond"]);
});

test("a name begins with @ at the start of a word", () => {
  assert.equal(begunName("put @", 5), "@");
  assert.equal(begunName("put @Im", 7), "@Im");
  assert.equal(begunName("put @Image1", 11), "@Image1");
  assert.equal(begunName("@", 1), "@");
  assert.equal(begunName("mail@", 5), null);
  assert.equal(begunName("put @ now", 9), null);
  assert.equal(begunName("put @Im", 3), null, "the caret stands before it");
});

test("what was typed narrows what is offered", () => {
  const pictures = [{ name: "@Image1" }, { name: "@Image2" }];
  assert.equal(offered(pictures, "@").length, 2);
  assert.equal(offered(pictures, "@im").length, 2);
  assert.deepEqual(offered(pictures, "@Image2"), [{ name: "@Image2" }]);
  assert.deepEqual(offered(pictures, "@you"), []);
});

test("the picked name takes the place of what was typed, with one blank after it", () => {
  assert.deepEqual(withName("put @im", 7, "@im", "@Image2"), { text: "put @Image2 ", caret: 12 });
  assert.deepEqual(withName("put @ there", 5, "@", "@Image1"), { text: "put @Image1 there", caret: 12 });
});
