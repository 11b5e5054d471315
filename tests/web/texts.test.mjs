import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { text, useLocale } from "../../web/texts.mjs";
import { read } from "./words.mjs";

const holes = (words) => [...words.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort();

afterEach(() => useLocale("en", read));

test("every text exists in both languages, with the same places to fill in", async () => {
  const [english, chinese] = [await read("./texts/en.json"), await read("./texts/zh.json")];
  assert.deepEqual(Object.keys(chinese), Object.keys(english));
  for (const [key, words] of Object.entries(english)) assert.deepEqual(holes(chinese[key]), holes(words), key);
});

test("the language follows ComfyUI's setting, and is English where there is no other", async () => {
  for (const locale of ["zh", "zh-TW"]) {
    await useLocale(locale, read);
    assert.equal(text("price.unknown"), "价格未知");
  }
  for (const locale of ["en", "fr", undefined]) {
    await useLocale(locale, read);
    assert.equal(text("price.unknown"), "price unknown");
  }
});

test("places are filled in, and a key without a text shows itself", () => {
  assert.equal(text("price.times", { price: "$0.028", count: 4 }), "$0.028 × 4");
  assert.equal(text("price.times", { price: "$0.028" }), "$0.028 × {count}");
  assert.equal(text("no.such"), "no.such");
});
