import assert from "node:assert/strict";
import { test } from "node:test";
import { choices, hindrance, standing, verdict } from "../../web/keys.mjs";
import "./words.mjs";

const key = (state, last_four = "7890") => ({ title: "EachLabs", state, last_four, variable: "EACHLABS_API_KEY" });

test("a key is not set, set, or from the environment, and known by its last four characters", () => {
  assert.equal(standing(key("missing", "")), "Not set");
  assert.equal(standing(key("saved")), "Set, ends in 7890");
  assert.equal(standing(key("saved", "")), "Set");
  assert.equal(standing(key("environment")), "From the environment (EACHLABS_API_KEY), ends in 7890");
  assert.equal(standing(key("environment", "")), "From the environment (EACHLABS_API_KEY)");
});

test("what can be done follows from how it stands", () => {
  assert.deepEqual(choices(key("missing"), true), ["set"]);
  assert.deepEqual(choices(key("saved"), true), ["replace", "remove", "test"]);
  assert.deepEqual(choices(key("environment"), true), ["test"]);
});

test("from another machine a key can only be tested, and that is said", () => {
  assert.deepEqual(choices(key("missing"), false), []);
  assert.deepEqual(choices(key("saved"), false), ["test"]);
  assert.match(hindrance(key("saved"), false), /EACHLABS_API_KEY/);
  assert.equal(hindrance(key("saved"), true), "");
  assert.equal(hindrance(key("environment"), false), "");
});

test("every outcome of a test has its words", () => {
  for (const name of ["good", "refused", "no_credit", "unreachable", "unclear"]) {
    const words = verdict(key("saved"), { verdict: name, reason: "so it said" });
    assert.ok(!words.startsWith("keys."), name);
  }
  assert.equal(verdict(key("saved"), { verdict: "refused", reason: "" }), "EachLabs refuses the key.");
});
