import assert from "node:assert/strict";
import { test } from "node:test";
import { tellOfSandbox } from "../../web/key_settings.mjs";
import "./words.mjs";

const auto = { type: "KlingT2I", widgets: [{ name: "provider", value: "auto" }] };

/** The editor as far as this module asks of it: what a run says, given a graph and the server's answer. */
function editor(nodes, answer) {
  const settings = {};
  const told = [];
  const listeners = {};
  const host = {
    get: async () => answer,
    hasNode: (test) => nodes.some(test),
    setting: (id, value) => (value === undefined ? settings[id] : (settings[id] = value)),
    tell: (severity, words) => told.push([severity, words]),
  };
  tellOfSandbox({ addEventListener: (name, act) => (listeners[name] = act) }, host);
  return { told, run: () => listeners.execution_start() };
}

const keys = (...states) => Object.fromEntries(states.map((state, place) => [place, { state }]));

test("the first run without a key says so, calmly and once", async () => {
  const { told, run } = editor([auto], { auto_is_sandbox: true, keys: keys("missing", "missing") });
  await run();
  await run();
  assert.equal(told.length, 1);
  assert.equal(told[0][0], "info");
  assert.match(told[0][1], /sandbox/);
});

test("with a key, or where auto is no sandbox, nothing is said", async () => {
  for (const answer of [
    { auto_is_sandbox: true, keys: keys("missing", "saved") },
    { auto_is_sandbox: false, keys: keys("missing") },
  ]) {
    const { told, run } = editor([auto], answer);
    await run();
    assert.deepEqual(told, []);
  }
});

test("a graph that does not ask for auto has nothing to do with it", async () => {
  const named = { type: "KlingT2I", widgets: [{ name: "provider", value: "eachlabs" }] };
  const { told, run } = editor([named, { type: "KSampler" }], { auto_is_sandbox: true, keys: keys("missing") });
  await run();
  assert.deepEqual(told, []);
});
