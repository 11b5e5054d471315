// How far a picture is expanded: the arithmetic of catalog/frames.py, held to it by cases both sides are tested on.

export const RATIOS = ["16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9"];
export const SIDES = ["up", "down", "left", "right"];
export const NOTHING = { up: 0, down: 0, left: 0, right: 0 };
export const FARTHEST = 2;
export const LARGEST_AREA = 3;
/** The number widgets' own step. */
export const STEP = 0.01;

const WIRE = 10 ** 4;
const OPPOSITE = { up: "down", down: "up", left: "right", right: "left" };
const QUARTERS = Array.from({ length: 9 }, (_, place) => place / 4);
const SAME_SHAPE = 0.004;

export function valueOf(ratio) {
  const [width, height] = ratio.split(":").map(Number);
  return width / height;
}

export function areaOf({ up, down, left, right }) {
  return (1 + left + right) * (1 + up + down);
}

/**
 * The expansion that gives a picture of `width`×`height` the shape `target`, the original staying at `anchor`.
 * Returns { expansion, problem }: problem is "beyond" or "there already" where it is refused, else null.
 */
export function expansionTo(target, anchor, width, height) {
  const growth = valueOf(target) / (width / height);
  const grown = { ...NOTHING };
  if (growth >= 1) [grown.left, grown.right] = split(growth - 1, anchor, "left", "right");
  else [grown.up, grown.down] = split(1 / growth - 1, anchor, "top", "bottom");
  if (areaOf(grown) > LARGEST_AREA) return { expansion: grown, problem: "beyond" };
  const pixels = (grown.left + grown.right) * width + (grown.up + grown.down) * height;
  return { expansion: grown, problem: pixels < 1 ? "there already" : null };
}

/** What is wrong with an expansion as it stands: "nothing", "beyond" or null. */
export function problemOf(expansion) {
  if (SIDES.every((side) => expansion[side] === 0)) return "nothing";
  return areaOf(expansion) > LARGEST_AREA + 1e-9 ? "beyond" : null;
}

/** How far `side` can go, the others staying: where the new area reaches its limit, in whole steps. */
export function stopOf(expansion, side) {
  const across = side === "left" || side === "right";
  const other = across ? 1 + expansion.up + expansion.down : 1 + expansion.left + expansion.right;
  const room = LARGEST_AREA / other - 1 - expansion[OPPOSITE[side]];
  return Math.max(0, Math.min(FARTHEST, Math.floor((room + 1e-9) / STEP) * STEP || 0));
}

/** `value` for `side`, in whole steps and no farther than it can go. */
export function held(expansion, side, value) {
  return tidy(Math.min(Math.max(value, 0), stopOf(expansion, side)));
}

/**
 * The value near `value` at which `side` rests: a quarter, as far as the opposite side, or where the new frame has
 * one of the named shapes. `reach` is how near, `ratio` the picture's width to height.
 */
export function snapped(expansion, side, value, reach, ratio) {
  const places = [...QUARTERS, expansion[OPPOSITE[side]], ...shapes(expansion, side, ratio)];
  const stop = stopOf(expansion, side);
  const near = places.filter((place) => Math.abs(place - value) <= reach && place >= 0 && place <= stop);
  near.sort((one, other) => Math.abs(one - value) - Math.abs(other - value));
  return held(expansion, side, near[0] ?? value);
}

/** The name of the shape that the new frame has, or null where it has none of the eight. */
export function shapeOf(expansion, ratio) {
  const shape = (ratio * (1 + expansion.left + expansion.right)) / (1 + expansion.up + expansion.down);
  return RATIOS.find((named) => Math.abs(valueOf(named) / shape - 1) < SAME_SHAPE) ?? null;
}

function shapes(expansion, side, ratio) {
  const across = side === "left" || side === "right";
  const opposite = expansion[OPPOSITE[side]];
  return RATIOS.map((named) => {
    const wanted = valueOf(named) / ratio;
    const whole = across
      ? wanted * (1 + expansion.up + expansion.down)
      : (1 + expansion.left + expansion.right) / wanted;
    return whole - 1 - opposite;
  });
}

function split(extra, anchor, first, last) {
  if (anchor === first) return [0, Math.floor(extra * WIRE) / WIRE];
  if (anchor === last) return [Math.floor(extra * WIRE) / WIRE, 0];
  const half = Math.floor((extra / 2) * WIRE) / WIRE;
  return [half, half];
}

function tidy(value) {
  return Math.round(value / STEP) / Math.round(1 / STEP);
}
