// What a run of a node will cost, in the provider's own unit, before it is run.

import { text } from "./texts.mjs";

/**
 * The price for a person. `choice` is what `choose` said; `count` is how many pictures are asked for, null where
 * another node decides it.
 */
export function shownPrice(choice, count) {
  if (choice.sandbox) return text("price.sandbox");
  const each = choice.offer?.price?.shown;
  if (!each) return text("price.unknown");
  if (count === null) return text("price.each", { price: each });
  return count === 1 ? each : text("price.times", { price: each, count });
}
