// What is said of tasks and of spend, without a page: the values of the routes in, words and lists out.

import { text } from "./texts.mjs";

const OPEN = new Set(["new", "submitting", "accepted"]);
const ATTENTION = new Set(["uncertain", "failed", "unread"]);
const FINISHED = new Set(["done", "failed", "cancelled"]);
const MARKS = {
  new: "…", submitting: "↑", accepted: "◔", done: "✓", failed: "✕", cancelled: "–", uncertain: "?", unread: "!",
};

export const FILTERS = ["all", "running", "attention", "finished"];

/** Whether a task still changes by itself. */
export const isOpen = (task) => OPEN.has(task.state);

/** Whether a task belongs to one of `FILTERS`. */
export function matches(task, filter) {
  if (filter === "running") return isOpen(task);
  if (filter === "attention") return ATTENTION.has(task.state);
  return filter === "all" || FINISHED.has(task.state);
}

/** The sign that stands beside a state's word, so that neither stands alone. */
export const mark = (task) => MARKS[task.state] ?? "•";

/** An amount with its unit, as `$0.028` or `0.151 credits`. */
export function money(amount, unit) {
  return unit === "USD" ? `$${plain(amount)}` : text("unit.credits", { amount: plain(amount) });
}

/** What a task costs, or why that is not said. */
export function cost(task) {
  const { amount, unit } = task.cost;
  if (task.provider === "sandbox") return text("cost.free");
  if (amount === null) return text("cost.unknown");
  if (Number(amount) === 0) return text("cost.none");
  return task.state === "uncertain" ? text("cost.perhaps", { cost: money(amount, unit) }) : money(amount, unit);
}

/** Seconds so far or in the end; `now` in seconds since 1970. Empty where a task was never sent. */
export function duration(task, now) {
  if (!isOpen(task)) return task.seconds === null ? "" : text("tasks.seconds", { seconds: task.seconds.toFixed(1) });
  const seconds = Math.round(passed(task, now));
  if (task.expected === null) return text("tasks.seconds", { seconds });
  const expected = Math.max(1, Math.round(task.expected));
  return text(seconds > expected ? "tasks.late" : "tasks.expected", { seconds, expected });
}

/** The share of the expected time that has passed, from 0 to 0.95: only the end is the end. */
export function progress(task, now) {
  return Math.min(0.95, passed(task, now) / Math.max(task.expected ?? 0, 0.1));
}

/** What a person can do about it, or nothing. */
export function advice(task) {
  if (!task.todo) return "";
  const sent = clock(task.submitted_at ?? task.created_at);
  return text(`todo.${task.todo}`, { provider: task.provider, model: task.wire_model || task.model, time: sent });
}

/** The inputs of a task as pairs of name and value, for a person to read. */
export function inputs(task) {
  const { fields = {}, pictures = {}, seed } = task.request ?? {};
  const pairs = Object.entries(fields).map(([name, value]) => [name, String(value)]);
  for (const [role, sent] of Object.entries(pictures)) pairs.push([role, sent.map(size).join(", ")]);
  if (seed !== undefined) pairs.push(["seed", String(seed)]);
  if (!pairs.length) pairs.push([text("inputs.title"), text("inputs.unknown")]);
  if (task.changes?.length) pairs.push([text("inputs.changes"), task.changes.join("; ")]);
  pairs.push([text("inputs.handle"), task.handle], [text("inputs.created"), clock(task.created_at)]);
  if (task.prompt_id) pairs.push([text("inputs.prompt_id"), task.prompt_id]);
  return pairs.filter(([, value]) => value !== "");
}

/** The time of day, with the date where it was another day; `at` in seconds since 1970. */
export function clock(at, now = Date.now() / 1000) {
  const [then, today] = [new Date(at * 1000), new Date(now * 1000)];
  const time = then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return then.toDateString() === today.toDateString() ? time : `${then.toLocaleDateString()} ${time}`;
}

/** The tasks that are known, newest first. */
export class Board {
  #tasks = new Map();

  /** Takes in what the server told, newest first; returns those whose state changed since they were last seen. */
  take(told) {
    const before = (task) => this.#tasks.get(task.number)?.state ?? task.state;
    const changed = told.filter((task) => before(task) !== task.state);
    for (const task of told) this.#tasks.set(task.number, task);
    return changed;
  }

  get tasks() {
    return [...this.#tasks.values()].sort((one, other) => other.number - one.number);
  }

  /** Whether a task still runs that is older than the newest `count`. */
  runsBelow(count) {
    return this.tasks.slice(count).some(isOpen);
  }

  count(filter) {
    return this.tasks.filter((task) => matches(task, filter)).length;
  }
}

/** What was spent in one stretch of time, in a line: sums of each unit, and what has no known price. */
export function spent(span) {
  const parts = sums(span.paid).map(([unit, amount]) => money(amount, unit));
  const unpriced = span.paid.reduce((count, one) => count + one.unpriced, 0);
  if (unpriced) parts.push(text("spend.unpriced", { count: unpriced }));
  return parts.join(" + ") || text("spend.nothing");
}

/** The same by provider, a line for each provider and unit. */
export function spentBy(span) {
  return span.paid.map((one) => {
    const amount = one.unpriced === one.tasks ? text("cost.unknown") : money(one.amount, one.unit);
    return text("spend.line", { amount, count: one.tasks, provider: one.provider });
  });
}

/** What reuse and recovery saved, in a line. */
export function saved(span) {
  const times = (...kinds) => span.saved.reduce((count, one) => count + (kinds.includes(one.kind) ? one.times : 0), 0);
  const counts = { reused: times("reused", "joined"), recovered: times("recovered") };
  const kinds = Object.entries(counts).filter(([, count]) => count);
  const parts = kinds.map(([kind, count]) => text(`spend.${kind}`, { count }));
  const amount = sums(span.saved).filter(([, sum]) => Number(sum)).map(([unit, sum]) => money(sum, unit)).join(" + ");
  if (amount) parts.push(text("spend.not_paid_twice", { amount }));
  return parts.join(" · ") || text("spend.nothing");
}

/** The daily budget: a line and the share of it that is spent, or nothing where none is set. */
export function budget({ usd, spent: used }) {
  if (usd === null) return null;
  const line = text("spend.of", { spent: money(used, "USD"), budget: money(usd, "USD") });
  return { line, share: usd ? Math.min(1, used / usd) : 1 };
}

const passed = (task, now) => Math.max(0, now - (task.accepted_at ?? task.submitted_at ?? task.created_at));

/** Sums by unit. Amounts are decimal text of at most a few digits; a sum is rounded to a millionth. */
function sums(amounts) {
  const byUnit = new Map();
  for (const { unit, amount } of amounts) byUnit.set(unit, (byUnit.get(unit) ?? 0) + Number(amount));
  return [...byUnit].filter(([unit, sum]) => unit && sum);
}

/** A number without a tail of rounding: three digits behind the point for small amounts, two for large ones. */
function plain(amount) {
  const value = Number(amount);
  const digits = value >= 10 ? 2 : 4;
  return String(Number(value.toFixed(digits)));
}

const size = ({ width, height }) => text("inputs.picture", { width, height });
