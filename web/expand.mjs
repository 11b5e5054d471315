// The editor on KlingExpand: the picture, the frame it will get, and four edges to drag or to move by keys.

import { areaOf, expansionTo, held, LARGEST_AREA, NOTHING, problemOf, shapeOf } from "./expand_frame.mjs";
import { SIDES, snapped, stopOf } from "./expand_frame.mjs";
import { boxesOn, keyed, pulled, viewOf } from "./expand_layout.mjs";
import { make, say, show } from "./dom.mjs";
import { text } from "./texts.mjs";

export const HEIGHT = 260;

const OFF = "off";
/** Pixels on the screen within which an edge comes to rest. */
const REACH = 7;
/** Pixels of an edge that can be caught, half of them on either side. */
const GRIP = 16;
const NEUTRAL = 4 / 3;

export class ExpandEditor {
  #values = { ...NOTHING, target: OFF, anchor: "center" };
  #size = null;
  #drag = null;
  #set;

  /** `set(values)` takes over numbers by side and, with `target`, the choice of a target shape. */
  constructor(set) {
    this.#set = set;
    this.frame = make("div", { class: "kling-expand-frame" });
    this.picture = make("img", {
      class: "kling-expand-picture",
      alt: text("expand.picture"),
      draggable: "false",
      load: () => this.#loaded(),
      error: () => this.showPicture(null),
    });
    this.neutral = make("div", { class: "kling-expand-neutral" }, text("expand.unknown"));
    this.handles = Object.fromEntries(SIDES.map((side) => [side, this.#handle(side)]));
    const parts = [this.frame, this.picture, this.neutral, ...Object.values(this.handles)];
    this.stage = make("div", { class: "kling-expand-stage", role: "group", "aria-label": text("expand.label") }, parts);
    this.told = make("span", { class: "kling-expand-told", role: "status" });
    const free = () => this.#set({ ...this.#shown().expansion, target: OFF });
    this.free = make("button", { class: "kling-expand-free", type: "button", click: free }, text("expand.free"));
    const line = make("div", { class: "kling-expand-line" }, this.told, this.free);
    this.element = make("div", { class: "kling-expand" }, this.stage, line);
    new ResizeObserver(() => this.#draw()).observe(this.stage);
    this.showPicture(null);
  }

  /** Draws these values: four ratios by side, `target` and `anchor`. */
  show(values) {
    this.#values = { ...this.#values, ...values };
    this.#draw();
  }

  /** Shows the picture at `url`; null where it is not known. */
  showPicture(url) {
    if (url && this.picture.getAttribute("src") === url) return;
    if (url) return void (this.picture.src = url);
    this.picture.removeAttribute("src");
    this.#size = null;
    this.#draw();
  }

  get #ratio() {
    return this.#size ? this.#size.width / this.#size.height : NEUTRAL;
  }

  #loaded() {
    this.#size = { width: this.picture.naturalWidth, height: this.picture.naturalHeight };
    this.#draw();
  }

  /** What will be sent: { expansion, problem, byTarget }. */
  #shown() {
    const { target, anchor, ...expansion } = this.#values;
    if (target === OFF) return { expansion, problem: problemOf(expansion), byTarget: false };
    if (!this.#size) return { expansion: NOTHING, problem: "unknown", byTarget: true };
    return { ...expansionTo(target, anchor, this.#size.width, this.#size.height), byTarget: true };
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    const shown = this.#shown();
    show(this.picture, Boolean(this.#size));
    show(this.neutral, !this.#size);
    show(this.free, shown.byTarget && shown.problem === null);
    const stopped = !shown.byTarget && areaOf(shown.expansion) > LARGEST_AREA - 0.03;
    this.element.classList.toggle("kling-expand-refused", shown.problem === "beyond");
    this.element.classList.toggle("kling-expand-stopped", stopped);
    this.element.classList.toggle("kling-expand-fixed", shown.byTarget);
    this.#tell(shown, stopped);
    for (const side of SIDES) this.#describe(side, shown);
    if (!width || !height) return;
    const view = viewOf(shown.expansion, this.#drag?.view);
    const { picture, frame } = boxesOn(width, height, this.#ratio, shown.expansion, view);
    for (const element of [this.picture, this.neutral]) place(element, picture);
    place(this.frame, frame);
    this.#placeHandles(frame);
  }

  #tell({ expansion, problem, byTarget }, stopped) {
    const values = { area: areaOf(expansion).toFixed(2), most: LARGEST_AREA, target: this.#values.target };
    const shape = this.#size && shapeOf(expansion, this.#ratio);
    const key = byTarget ? (problem ? `target ${problem}` : "target") : problem || stateOf(stopped, shape);
    say(this.told, text(`expand.${key}`, { ...values, shape }));
  }

  #describe(side, { expansion, byTarget }) {
    const handle = this.handles[side];
    const percent = Math.round(expansion[side] * 100);
    const words = side === "up" || side === "down" ? "expand.tall" : "expand.wide";
    handle.setAttribute("aria-valuemax", String(Math.max(expansion[side], stopOf(expansion, side))));
    handle.setAttribute("aria-valuenow", String(expansion[side]));
    handle.setAttribute("aria-valuetext", text(words, { percent }));
    handle.setAttribute("aria-disabled", String(byTarget));
  }

  #placeHandles({ left, top, width, height }) {
    const before = { left: left - GRIP / 2, top: top - GRIP / 2 };
    place(this.handles.up, { left, top: before.top, width, height: GRIP });
    place(this.handles.down, { left, top: before.top + height, width, height: GRIP });
    place(this.handles.left, { left: before.left, top, width: GRIP, height });
    place(this.handles.right, { left: before.left + width, top, width: GRIP, height });
  }

  #handle(side) {
    const upright = side === "up" || side === "down";
    const release = () => this.#release();
    return make("div", {
      class: `kling-expand-edge kling-expand-${side}`,
      role: "slider",
      tabindex: "0",
      "aria-label": text(`expand.${side}`),
      "aria-orientation": upright ? "vertical" : "horizontal",
      "aria-valuemin": "0",
      pointerdown: (event) => this.#grab(event, side),
      pointermove: (event) => this.#pull(event),
      pointerup: release,
      pointercancel: release,
      lostpointercapture: release,
      keydown: (event) => this.#key(event, side),
    });
  }

  #grab(event, side) {
    if (event.button !== 0 || this.#values.target !== OFF) return;
    event.preventDefault();
    event.stopPropagation();
    const handle = this.handles[side];
    handle.focus();
    handle.setPointerCapture(event.pointerId);
    // As the screen shows it: the graph may be zoomed.
    const picture = (this.#size ? this.picture : this.neutral).getBoundingClientRect();
    const view = viewOf(this.#values);
    this.#drag = { side, picture, view, x: event.clientX, y: event.clientY, from: this.#values[side] };
  }

  #pull(event) {
    if (!this.#drag) return;
    event.stopPropagation();
    const { side, picture, x, y, from } = this.#drag;
    const value = from + pulled(side, event.clientX - x, event.clientY - y, picture);
    const reach = Math.abs(pulled(side, REACH, REACH, picture));
    const rest = event.altKey ? held : (...given) => snapped(...given, reach, this.#ratio);
    this.#change(side, rest(this.#values, side, value));
  }

  #release() {
    if (!this.#drag) return;
    this.#drag = null;
    this.#draw();
  }

  #key(event, side) {
    const stop = stopOf(this.#values, side);
    const value = keyed(side, event.key, event.shiftKey, this.#values[side], stop);
    if (value === null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.#values.target === OFF) this.#change(side, held(this.#values, side, value));
  }

  #change(side, value) {
    if (value !== this.#values[side]) this.#set({ [side]: value });
  }
}

function stateOf(stopped, shape) {
  if (stopped) return "stop";
  return shape ? "shape" : "area";
}

function place(element, { left, top, width, height }) {
  Object.assign(element.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
}
