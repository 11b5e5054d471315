// Where the picture and its new frame lie on the editor's stage, and which way keys and pointers move an edge.

import { SIDES, STEP } from "./expand_frame.mjs";

/** Free room beside the picture, as a share of it, so that an edge can be pulled before the view has to widen. */
const ROOM = 0.3;
const BEYOND = 0.1;
const OUTWARD = { up: "ArrowUp", down: "ArrowDown", left: "ArrowLeft", right: "ArrowRight" };
const INWARD = { up: "ArrowDown", down: "ArrowUp", left: "ArrowRight", right: "ArrowLeft" };
const LARGE = 10;

/** How much of the plane is in view on each side of the picture; never less than `least`. */
export function viewOf(expansion, least = {}) {
  return Object.fromEntries(
    SIDES.map((side) => [side, Math.max(ROOM, expansion[side] + BEYOND, least[side] ?? 0)]),
  );
}

/**
 * Boxes in pixels of a stage of `width`×`height`: { picture, frame }, each { left, top, width, height }.
 * `ratio` is the picture's width to height, `view` what `viewOf` said.
 */
export function boxesOn(width, height, ratio, expansion, view) {
  const across = ratio * (1 + view.left + view.right);
  const down = 1 + view.up + view.down;
  const scale = Math.min(width / across, height / down);
  const left = (width - across * scale) / 2 + view.left * ratio * scale;
  const top = (height - down * scale) / 2 + view.up * scale;
  const picture = { left, top, width: ratio * scale, height: scale };
  return { picture, frame: around(picture, expansion) };
}

/** How far `side` moves, as a share of the picture, when the pointer moves by `x` and `y` pixels. */
export function pulled(side, x, y, picture) {
  const [across, down] = [x / picture.width, y / picture.height];
  return { up: -down, down, left: -across, right: across }[side];
}

/**
 * The value that a key gives an edge, or null where the key means nothing to it. An arrow moves the edge the way it
 * points; across the edge, up and right are more, as on any slider.
 */
export function keyed(side, key, shift, value, stop) {
  const step = shift ? LARGE * STEP : STEP;
  if (key === "Home") return 0;
  if (key === "End") return stop;
  if (key === "PageUp") return value + LARGE * STEP;
  if (key === "PageDown") return value - LARGE * STEP;
  if (key === OUTWARD[side]) return value + step;
  if (key === INWARD[side]) return value - step;
  if (key === "ArrowUp" || key === "ArrowRight") return value + step;
  if (key === "ArrowDown" || key === "ArrowLeft") return value - step;
  return null;
}

function around(picture, { up, down, left, right }) {
  return {
    left: picture.left - left * picture.width,
    top: picture.top - up * picture.height,
    width: picture.width * (1 + left + right),
    height: picture.height * (1 + up + down),
  };
}
