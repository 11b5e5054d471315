import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { TABLES, text, useLocale } from "../../web/texts.js";

const names = (written) => [...written.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort();

afterEach(() => useLocale("en"));

test("every language has every text, with the same names to fill in", () => {
  for (const table of Object.values(TABLES)) {
    assert.deepEqual(Object.keys(table).sort(), Object.keys(TABLES.en).sort());
    for (const [key, written] of Object.entries(table)) {
      assert.deepEqual(names(written), names(TABLES.en[key]), key);
    }
  }
});

test("names are filled in, and one that is not given stays to be seen", () => {
  assert.equal(text("tasks.seconds", { seconds: 0 }), "0 s");
  assert.equal(text("tasks.seconds"), "{seconds} s");
});

test("ComfyUI's language is followed, also where it names a region", () => {
  useLocale("zh-TW");
  assert.equal(text("state.done"), TABLES.zh["state.done"]);
});

test("a language without texts of its own gets English", () => {
  for (const locale of ["fr", "", undefined]) {
    useLocale(locale);
    assert.equal(text("state.done"), "Done");
  }
});

test("a key without a text shows itself", () => {
  assert.equal(text("no.such.key"), "no.such.key");
});
