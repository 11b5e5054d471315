import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { choose, notesOf } from "../../web/choices.mjs";
import { shownPrice } from "../../web/price.mjs";
import "./words.mjs";

const { catalog, choices: cases } = JSON.parse(readFileSync(new URL("shared_cases.json", import.meta.url), "utf-8"));
const operationOf = (name) => catalog.operations.find((operation) => operation.name === name);

function seenBy(keys) {
  const names = Object.keys(catalog.providers);
  const providers = Object.fromEntries(names.map((name) => [name, { key: keys.includes(name) }]));
  return { ...catalog, providers, auto_is_sandbox: keys.length === 0 };
}

function valuesOf(operation, given) {
  return { ...Object.fromEntries(operation.fields.map((field) => [field.name, field.default])), ...given };
}

function chosen(name, given, { keys = [], pictures = {} } = {}) {
  const operation = operationOf(name);
  const values = valuesOf(operation, given);
  const choice = choose(seenBy(keys), operation, values, pictures);
  return { choice, values, notes: notesOf(choice, values), price: shownPrice(choice, values.n) };
}

test("who is asked, what changes on the way and what it costs is what the pack says", () => {
  assert.ok(cases.length > 300);
  for (const told of cases) {
    const { choice, price } = chosen(told.operation, told.values, told);
    const where = JSON.stringify({ ...told, said: choice.offer?.provider });
    assert.equal(choice.problem?.why, told.problem, where);
    if (told.problem) continue;
    assert.equal(choice.offer.provider, told.provider, where);
    assert.equal(choice.sandbox, told.sandbox, where);
    assert.deepEqual(choice.changes.map(({ field, how }) => [field, how]), told.changes, where);
    const sandboxOrUnknown = told.sandbox ? "free in the sandbox" : "price unknown";
    assert.equal(price, told.price ?? sandboxOrUnknown, where);
  }
});

test("a value that is not offered is named with the one that goes instead", () => {
  const given = { model: "kling-v1-5", resolution: "2k", provider: "modellix" };
  const { notes } = chosen("image", given, { keys: ["modellix"] });
  assert.deepEqual(notes, [
    {
      field: "resolution",
      serious: false,
      text: "resolution 2k is sent as 1k, the nearest that kling-v1-5 has at modellix.",
    },
  ]);
});

test("a field that goes only with another value says which", () => {
  const given = { model: "kling-v1-5", image_reference: "face", human_fidelity: 0.9, provider: "modellix" };
  const { notes } = chosen("image", given, { keys: ["modellix"] });
  assert.match(notes[0].text, /^human_fidelity is not sent: modellix takes it only with image_reference subject\.$/);
});

test("widgets are named as the editor names them", () => {
  const operation = operationOf("image");
  const values = valuesOf(operation, { model: "kling-v1-5", image_reference: "face", human_fidelity: 0.9 });
  const choice = choose(seenBy(["modellix"]), operation, values, {});
  const [note] = notesOf(choice, values, (name) => name.toUpperCase());
  assert.equal(note.field, "human_fidelity");
  assert.match(note.text, /^HUMAN_FIDELITY is not sent: modellix takes it only with IMAGE_REFERENCE subject/);
});

test("a provider that does not have the model is a serious note, and says who does", () => {
  const { notes } = chosen("text", { model: "kling-v3", provider: "eachlabs" }, { keys: ["eachlabs"] });
  assert.equal(notes[0].serious, true);
  assert.equal(notes[0].field, "provider");
  assert.match(notes[0].text, /eachlabs does not offer kling-v3 here\. Offered by: modellix, apimodels\./);
});

test("everything at its default needs no note", () => {
  for (const operation of catalog.operations) {
    assert.deepEqual(chosen(operation.name, { model: operation.models[0] }).notes, []);
  }
});

test("what another node decides is neither marked nor multiplied", () => {
  const operation = operationOf("image");
  const { resolution, ...values } = valuesOf(operation, { model: "kling-v2", provider: "apimodels" });
  const choice = choose(seenBy(["apimodels"]), operation, values, { image: 1 });
  assert.deepEqual(choice.changes, []);
  assert.equal(shownPrice(choice, null), "0.151 credits each");
});

test("a retired model names its successor", () => {
  const models = catalog.models.map((row) => ({ ...row, retired: ["2026-12-01", "kling-v4"] }));
  const values = valuesOf(operationOf("text"), { model: "kling-v3" });
  const choice = choose({ ...seenBy([]), models }, operationOf("text"), values, {});
  assert.match(notesOf(choice, values)[0].text, /Use kling-v4\./);
});

test("prices: as one, times how many, unknown, free", () => {
  const edit = (given) => chosen("edit", { model: "kling-image-o1", ...given }, { keys: ["eachlabs", "modellix"] });
  assert.equal(edit({ provider: "eachlabs" }).price, "$0.028");
  assert.equal(edit({ provider: "eachlabs", n: 4 }).price, "$0.028 × 4");
  assert.equal(edit({ provider: "modellix", n: 4 }).price, "price unknown");
  assert.equal(edit({ provider: "sandbox", n: 4 }).price, "free in the sandbox");
});
