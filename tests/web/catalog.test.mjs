import assert from "node:assert/strict";
import { test } from "node:test";
import { Catalog } from "../../web/catalog.mjs";

const told = (name) => ({ models: [], operations: [{ node: "KlingT2I", name }] });
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("it is asked for once, however many follow", async () => {
  let asked = 0;
  const catalog = new Catalog(async () => told(`answer ${(asked += 1)}`));
  const heard = [];
  assert.equal(catalog.told, null);
  catalog.follow((news) => heard.push(news));
  catalog.follow((news) => heard.push(news));
  await settled();
  assert.equal(asked, 1);
  assert.equal(heard.length, 2);
  assert.equal(catalog.operation("KlingT2I").name, "answer 1");
});

test("after a refresh all hear the news, and who has left does not", async () => {
  let asked = 0;
  const catalog = new Catalog(async () => told(`answer ${(asked += 1)}`));
  const heard = [];
  const leave = catalog.follow(() => heard.push("gone"));
  catalog.follow((news) => heard.push(news.operations[0].name));
  await settled();
  leave();
  await catalog.refresh();
  assert.deepEqual(heard, ["gone", "answer 1", "answer 2"]);
});

test("without an answer, what was told before stays", async () => {
  const answers = [Promise.resolve(told("first")), Promise.reject(new Error("down")), Promise.resolve({ error: "x" })];
  const catalog = new Catalog(() => answers.shift());
  await catalog.refresh();
  await catalog.refresh();
  await catalog.refresh();
  assert.equal(catalog.operation("KlingT2I").name, "first");
});

test("an answer that comes late does not replace a newer one", async () => {
  const late = Promise.withResolvers?.() ?? {};
  if (!late.promise) late.promise = new Promise((resolve) => (late.resolve = resolve));
  const answers = [late.promise, Promise.resolve(told("newer"))];
  const catalog = new Catalog(() => answers.shift());
  const first = catalog.refresh();
  await catalog.refresh();
  late.resolve(told("older"));
  await first;
  assert.equal(catalog.operation("KlingT2I").name, "newer");
});
