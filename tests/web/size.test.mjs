import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { test } from "node:test";
import { WEB } from "./words.mjs";

test("all scripts and styles that the editor loads are under 100 kB", () => {
  const files = readdirSync(WEB, { recursive: true }).filter((name) => /\.(m?js|css)$/.test(name));
  const bytes = files.reduce((sum, name) => sum + statSync(new URL(name, WEB)).size, 0);
  assert.ok(bytes > 0 && bytes < 100_000, `${bytes} bytes`);
});
