// `@Image1`, `@Image2` … in a prompt: which names mean no picture, by the rule of catalog/references.py.

const NAME = /@image(\d*)(?![A-Za-z0-9_])/gi;
const BEGUN = /(?:^|[^\w@])(@[A-Za-z]*\d*)$/;

/**
 * The names in `prompt` that mean no picture, each { name, why, count }: why is "gap", "which", "none", "beyond",
 * or "perhaps" where it is beyond what is surely there and a batch may hold more.
 *
 * `pictures` is how many are connected, `sure` whether none of them can be a batch, `gap` the empty socket before a
 * connected one or null.
 */
export function wrongNames(prompt, pictures, gap = null, sure = true) {
  const wrong = new Map();
  for (const [name, digits] of prompt.matchAll(NAME)) {
    const why = gap === null ? fault(digits, pictures, sure) : "gap";
    if (why) wrong.set(name, { name, why, count: pictures });
  }
  return [...wrong.values()];
}

/** The name being typed just before the caret, from its `@` on, or null. */
export function begunName(text, caret) {
  return text.slice(0, caret).match(BEGUN)?.[1] ?? null;
}

/** The pictures whose name goes on from what was typed. */
export function offered(pictures, typed) {
  const wanted = typed.toLowerCase();
  return pictures.filter(({ name }) => name.toLowerCase().startsWith(wanted));
}

/** `text` with the typed name before the caret replaced, as { text, caret }; a blank follows where none does. */
export function withName(text, caret, typed, name) {
  const start = caret - typed.length;
  const after = text.slice(caret);
  const put = /^\s/.test(after) ? name : `${name} `;
  return { text: text.slice(0, start) + put + after, caret: start + name.length + 1 };
}

function fault(digits, pictures, sure) {
  if (!pictures) return "none";
  if (!digits && pictures > 1) return "which";
  const number = Number(digits || 1);
  if (number < 1) return "beyond";
  if (number <= pictures) return null;
  return sure ? "beyond" : "perhaps";
}
