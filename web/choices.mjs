// Which provider a node's values go to, and what does not fit there: catalog/order.py and jobs/route.py, before Run.

import { text } from "./texts.mjs";

const AUTO = "auto";
const SANDBOX = "sandbox";
const NOT_SENT = "none";

/**
 * Who would be asked: { offer, sandbox, changes, problem }.
 *
 * `values` are the node's widgets by name, without those that another node decides; `pictures` is how many are
 * connected, by role. `problem` is null or { why, … } with "retired", "not offered", "no key", "nobody" or
 * "too many"; `offer` is then the one that was meant, if any. A change is { field, how, value, … }.
 */
export function choose(catalog, operation, values, pictures) {
  const row = catalog.models.find((model) => model.operation === operation.name && model.name === values.model);
  if (!row) return { offer: null, sandbox: false, changes: [], problem: null };
  const chosen = chosenOffer(catalog, operation, row, values, pictures);
  const problem = row.retired ? { why: "retired", successor: row.retired[1] } : chosen.problem;
  const changes = problem || !chosen.offer ? [] : changesAt(operation, chosen.offer, values);
  return { offer: null, sandbox: false, ...chosen, changes, problem: problem ?? null };
}

/** What an offer does not take as it was set, in the order of the operation's fields. */
export function changesAt(operation, offer, values) {
  const set = settled(values);
  return operation.fields.flatMap((field) => {
    const value = set[field.name];
    if (value === undefined || same(field, value) || (field.kind === "choice" && value === NOT_SENT)) return [];
    return change(operation, offer, field, value, set);
  });
}

/** The changes and the problem of a choice as notes: { field, serious, text }. `called(name)` names a widget. */
export function notesOf(choice, values, called = (name) => name) {
  const at = { model: values.model, provider: choice.offer?.provider };
  if (choice.problem) {
    const { why, field, ...more } = choice.problem;
    return [{ field, serious: true, text: text(`choices.${why}`, { ...at, ...more }) }];
  }
  return choice.changes.map(({ field, how, other, ...more }) => ({
    field,
    serious: false,
    text: text(`choices.${how}`, { ...at, ...more, field: called(field), other: called(other) }),
  }));
}

function chosenOffer(catalog, operation, row, values, pictures) {
  const provider = values.provider ?? AUTO;
  const roomy = row.offers.filter((offer) => !crowded(offer, pictures));
  if (provider === SANDBOX || (provider === AUTO && catalog.auto_is_sandbox)) {
    const offer = roomy[0] ?? row.offers[0];
    return { offer, sandbox: true, problem: crowd(offer, pictures) };
  }
  if (provider !== AUTO) return named(catalog, row, provider, pictures);
  const reachable = row.offers.filter((offer) => catalog.providers[offer.provider]?.key);
  if (!reachable.length) return { offer: null, problem: { why: "nobody", field: "model", who: names(row) } };
  const fitting = reachable.filter((offer) => roomy.includes(offer));
  const offer = bestOf(operation, fitting.length ? fitting : reachable, values);
  return { offer, problem: crowd(offer, pictures) };
}

function named(catalog, row, provider, pictures) {
  const offer = row.offers.find((one) => one.provider === provider);
  if (!offer) return { offer: null, problem: { why: "not offered", field: "provider", provider, who: names(row) } };
  if (!catalog.providers[provider]?.key) return { offer, problem: { why: "no key", field: "provider" } };
  return { offer, problem: crowd(offer, pictures) };
}

/** Those that change nothing come first, then the cheapest where all prices compare; else the table's order. */
function bestOf(operation, offers, values) {
  const comparable = offers.every((offer) => offer.usd !== null);
  const rank = (offer) => [changesAt(operation, offer, values).length > 0, comparable ? offer.usd : 0];
  const ranked = offers.map((offer) => ({ offer, rank: rank(offer) }));
  ranked.sort((one, other) => one.rank[0] - other.rank[0] || one.rank[1] - other.rank[1]);
  return ranked[0].offer;
}

function change(operation, offer, field, value, values) {
  const wire = offer.fields[field.name];
  if (!wire) return [{ field: field.name, how: "no field", value }];
  const [other, wanted] = wire.only_with ?? [];
  if (other && values[other] !== undefined && values[other] !== wanted) {
    return [{ field: field.name, how: "only with", value, other, wanted }];
  }
  if (!wire.values || wire.values.includes(String(value)) || value === AUTO) return [];
  return [{ field: field.name, how: "nearest", value, sent: nearest(field.options, wire.values, value) }];
}

function nearest(options, offered, value) {
  const away = (option) => Math.abs(options.indexOf(option) - options.indexOf(value));
  return offered.reduce((best, option) => (away(option) < away(best) ? option : best));
}

/** What is sent in place of target_aspect are the four ratios, so neither it nor the anchor can be dropped. */
function settled({ target_aspect, anchor, ...values }) {
  return values;
}

function same(field, value) {
  return value === field.default || value === "";
}

function crowded(offer, pictures) {
  return Object.entries(pictures).find(([role, count]) => {
    const wire = offer.fields[role];
    return count > 0 && (!wire || (wire.at_most !== null && count > wire.at_most));
  });
}

function crowd(offer, pictures) {
  const found = crowded(offer, pictures);
  if (!found) return null;
  const [role, count] = found;
  return { why: "too many", role, count, most: offer.fields[role]?.at_most ?? 0 };
}

function names(row) {
  return row.offers.map((offer) => offer.provider).join(", ");
}
