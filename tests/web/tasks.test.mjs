import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Board, FILTERS, advice, budget, clock, cost, duration, inputs, isOpen, mark, matches, money, progress, saved, spent, spentBy,
} from "../../web/tasks.mjs";
import "./words.mjs";

const NOW = 1_790_000_000;
const STATES = ["new", "submitting", "accepted", "done", "failed", "cancelled", "uncertain", "unread"];

const task = (given = {}) => ({
  number: 1, handle: "eachlabs:abc", state: "done", provider: "eachlabs", model: "kling-image-o1", wire_model: "kling-o1",
  cost: { amount: "0.028", unit: "USD" }, seconds: 12.34, expected: null, created_at: NOW, submitted_at: NOW,
  accepted_at: NOW, todo: "", changes: [], prompt_id: null, ...given,
});
const bill = (given = {}) => ({ provider: "eachlabs", unit: "USD", amount: "0.028", tasks: 1, unpriced: 0, ...given });
const saving = (kind, times, amount = "0.028", unit = "USD") => ({ kind, times, amount, unit });

test("every state has a sign of its own beside its word", () => {
  assert.equal(new Set(STATES.map((state) => mark({ state }))).size, STATES.length);
});

test("every task is found under all, and under running, attention or finished", () => {
  for (const state of STATES) {
    assert.ok(matches({ state }, "all"));
    assert.ok(FILTERS.slice(1).some((filter) => matches({ state }, filter)), state);
  }
  assert.deepEqual(STATES.filter((state) => matches({ state }, "running")), STATES.filter((state) => isOpen({ state })));
  assert.deepEqual(STATES.filter((state) => matches({ state }, "attention")), ["failed", "uncertain", "unread"]);
});

test("a cost has its unit, or says why there is none", () => {
  assert.equal(cost(task()), "$0.028");
  assert.equal(cost(task({ cost: { amount: "0.302", unit: "credits" } })), "0.302 credits");
  assert.equal(cost(task({ cost: { amount: null, unit: "" } })), "price unknown");
  assert.equal(cost(task({ state: "failed", cost: { amount: "0", unit: "USD" } })), "nothing paid");
  assert.equal(cost(task({ provider: "sandbox", cost: { amount: "0", unit: "" } })), "free");
  assert.equal(cost(task({ state: "uncertain" })), "$0.028 if created");
});

test("amounts have no tail of rounding", () => {
  assert.equal(money(0.1 + 0.2, "USD"), "$0.3");
  assert.equal(money("1234.5", "USD"), "$1234.5");
  assert.equal(money("0.0004", "USD"), "$0.0004");
});

test("an ended task tells how long it took, a running one how long it should", () => {
  assert.equal(duration(task(), NOW), "12.3 s");
  assert.equal(duration(task({ seconds: null }), NOW), "");
  const running = task({ state: "accepted", expected: 20 });
  assert.equal(duration(running, NOW + 4.2), "4 s of about 20 s");
  assert.equal(duration(running, NOW + 33), "33 s, usually 20 s");
  assert.equal(duration(task({ state: "accepted", expected: 0.3 }), NOW), "0 s of about 1 s");
  assert.equal(duration(task({ state: "accepted", expected: null }), NOW + 4), "4 s");
});

test("progress never says that it has ended, nor runs backwards where clocks differ", () => {
  const running = task({ state: "accepted", expected: 20 });
  assert.equal(progress(running, NOW + 10), 0.5);
  assert.equal(progress(running, NOW + 100), 0.95);
  assert.equal(progress(running, NOW - 100), 0);
});

test("what to do names where to look and for what", () => {
  assert.equal(advice(task()), "");
  const words = advice(task({ state: "uncertain", todo: "settle" }));
  for (const named of ["eachlabs", "kling-o1", clock(NOW)]) assert.ok(words.includes(named), named);
});

test("inputs are shown as they were meant, pictures by their size", () => {
  const request = {
    fields: { prompt: "a lighthouse", negative_prompt: "" }, seed: 7,
    pictures: { image: [{ sha256: "x", width: 640, height: 400 }, { sha256: "y", width: 300, height: 300 }] },
  };
  const shown = Object.fromEntries(inputs(task({ request, changes: ["2k became 1k"], prompt_id: "p" })));
  assert.equal(shown.prompt, "a lighthouse");
  assert.equal(shown.image, "640 × 400, 300 × 300");
  assert.equal(shown.seed, "7");
  assert.equal(shown["changed for the provider"], "2k became 1k");
  assert.equal(shown["prompt id"], "p");
  assert.ok(!("negative_prompt" in shown));
});

test("a task of another ledger says that its inputs are unknown", () => {
  assert.match(inputs(task({ request: {} }))[0][1], /another ledger/);
});

test("another day is told with its date", () => {
  assert.ok(clock(NOW - 86_400 * 3, NOW).length > clock(NOW, NOW).length);
});

test("the board keeps the newest on top and tells which states changed", () => {
  const board = new Board();
  assert.deepEqual(board.take([task({ number: 2, state: "accepted" }), task({ number: 1 })]), []);
  assert.deepEqual(board.take([task({ number: 3 }), task({ number: 2 })]).map((one) => one.number), [2]);
  assert.deepEqual(board.tasks.map((one) => one.number), [3, 2, 1]);
  assert.equal(board.count("finished"), 3);
});

test("the board knows when an older task still runs", () => {
  const board = new Board();
  board.take([task({ number: 2 }), task({ number: 1, state: "accepted" })]);
  assert.ok(board.runsBelow(1));
  assert.ok(!board.runsBelow(2));
});

test("spend is a sum for each unit, never of dollars and credits", () => {
  const paid = [bill(), bill({ amount: "0.1" }), bill({ provider: "apimodels", unit: "credits", amount: "0.151", tasks: 2 })];
  assert.equal(spent({ paid }), "$0.128 + 0.151 credits");
  assert.equal(spent({ paid: [] }), "nothing");
  assert.equal(spentBy({ paid })[2], "0.151 credits · 2 at apimodels");
});

test("what has no known price is said", () => {
  const paid = [bill({ unit: "", amount: "0", tasks: 3, unpriced: 3, provider: "modellix" })];
  assert.equal(spent({ paid }), "3 without a known price");
  assert.equal(spentBy({ paid })[0], "price unknown · 3 at modellix");
});

test("what was saved counts reuse and recovery and adds up what was not paid twice", () => {
  const told = { saved: [saving("joined", 1), saving("reused", 2), saving("recovered", 1, "0", "")] };
  assert.equal(saved(told), "3 reused · 1 recovered · $0.056 not paid twice");
  assert.equal(saved({ saved: [] }), "nothing");
});

test("the budget is a line and a share, or nothing where none is set", () => {
  assert.equal(budget({ usd: null, spent: 1 }), null);
  assert.deepEqual(budget({ usd: 5, spent: 1.25 }), { line: "$1.25 of $5", share: 0.25 });
  assert.equal(budget({ usd: 1, spent: 3 }).share, 1);
  assert.equal(budget({ usd: 0, spent: 0 }).share, 1);
});
