// What a generating node shows beside its widgets: price, notes on its choices, sockets as needed, the expand editor.

import { choose, notesOf } from "./choices.mjs";
import { ExpandEditor, HEIGHT } from "./expand.mjs";
import { SIDES } from "./expand_frame.mjs";
import { Notes } from "./notes.mjs";
import { shownPrice } from "./price.mjs";
import { wrongNames } from "./references.mjs";
import { connectedInputs, fitSlots, gapIn, numberedSockets } from "./slots.mjs";
import { sourceOf } from "./sources.mjs";
import { text } from "./texts.mjs";

/** What ComfyUI leaves free around a DOM widget, above and below together. */
const MARGINS = 20;
const MARK = "⚠ ";
const PICTURE = "IMAGE";
const HOLLOW = 7;
const AWAY = { serialize: false, hideOnZoom: false, getValue: () => "", setValue: () => {} };

export class GeneratingNode {
  #host;
  #node;
  #sockets;
  #order;
  #groups;
  #waiting = false;
  #labels = new Map();
  #attended = new WeakSet();

  /**
   * `definition` is the node as /object_info tells it. `host` is what is needed besides:
   * { catalog, menu, outputs, view(query), promptOf(node), badge(words), redraw() }.
   */
  constructor(node, definition, host) {
    [this.#node, this.#host] = [node, host];
    this.#sockets = socketsOf(definition.input ?? {});
    this.#order = Object.keys(this.#sockets);
    this.#groups = numberedSockets(this.#order);
    if (definition.name === "KlingExpand") this.#addExpand();
    this.#addNotes();
    // The label, because the newer renderer follows it.
    node.badges.push(() => host.badge(this.panel.label ?? ""));
    for (const widget of node.widgets) after(widget, "callback", () => this.look());
    for (const hook of ["onConnectionsChange", "onConfigure", "onAdded"]) after(node, hook, () => this.look());
    after(node, "onRemoved", host.catalog.follow(() => this.look()));
    this.look();
  }

  /** Looks at everything anew, once, when what is going on has ended. */
  look() {
    if (this.#waiting) return;
    this.#waiting = true;
    // A task, not a microtask: ComfyUI opens an API prompt by making nodes first and connecting them afterwards.
    setTimeout(() => {
      this.#waiting = false;
      if (this.#node.graph) this.#now();
    });
  }

  #now() {
    this.#fitSlots();
    const values = this.#values();
    const connected = connectedInputs(this.#node);
    this.#showPrice(values, connected);
    this.#showExpand(values);
    this.#host.redraw();
  }

  #fitSlots() {
    for (const { name, localized_name } of this.#node.inputs) {
      // A socket that comes back is called what it was called in the editor's language.
      if (this.#sockets[name]) Object.assign(this.#sockets[name], { localized_name });
    }
    fitSlots(this.#node, this.#groups, this.#order, (name) => ({ type: PICTURE, ...this.#sockets[name] }));
  }

  /** Widgets by name, without those whose value another node decides. */
  #values() {
    const connected = connectedInputs(this.#node);
    const own = this.#node.widgets.filter((widget) => widget.serialize !== false && !connected.has(widget.name));
    return Object.fromEntries(own.map((widget) => [widget.name, widget.value]));
  }

  #showPrice(values, connected) {
    const operation = this.#host.catalog.operation(this.#node.type);
    if (!operation) return;
    const count = ({ sockets, each_is_a_task }) =>
      each_is_a_task ? 1 : sockets.filter((socket) => connected.has(socket)).length;
    const pictures = Object.fromEntries(operation.pictures.map((role) => [role.name, count(role)]));
    const choice = choose(this.#host.catalog.told, operation, values, pictures);
    this.panel.label = shownPrice(choice, values.n ?? null);
    const misfits = notesOf(choice, values, (name) => this.#called(name));
    const notes = [...this.#referenceNotes(values.prompt, connected), ...misfits];
    this.#mark(new Set(notes.map((note) => note.field)));
    if (this.notes.show(notes)) this.#resize();
  }

  #referenceNotes(prompt, connected) {
    const sources = this.pictures().pictures;
    const gap = gapIn(this.#groups, connected);
    const sure = sources.every((source) => source.single);
    const wrong = wrongNames(prompt ?? "", sources.length, gap, sure);
    this.#markPrompt(wrong.length > 0);
    return wrong.map(({ why, ...named }) => ({
      field: "prompt",
      serious: why !== "perhaps",
      text: text(`references.${why}`, { ...named, socket: gap }),
    }));
  }

  /** The connected pictures in the order of the sockets, and the gap among them. */
  pictures() {
    const found = this.#order.flatMap((name) => {
      const source = this.#source(name);
      return source ? [{ ...source, socket: name }] : [];
    });
    const pictures = found.map(({ node, url, single, socket }, place) => ({
      name: `@Image${place + 1}`,
      from: text("references.from", { socket, title: node?.title ?? "" }),
      url,
      single,
    }));
    return { pictures, gap: gapIn(this.#groups, connectedInputs(this.#node)) };
  }

  #source(name) {
    return sourceOf(this.#node, name, (query) => this.#host.view(query), this.#host.outputs);
  }

  /** What a widget is called in the editor's language. */
  #called(name) {
    const widget = this.#node.widgets.find((one) => one.name === name);
    return (this.#labels.has(widget) ? this.#labels.get(widget) : widget?.label) ?? name;
  }

  /** Marks the widgets that a note is about, in their labels. */
  #mark(fields) {
    for (const widget of this.#node.widgets) {
      const marked = this.#labels.has(widget);
      if (fields.has(widget.name) === marked) continue;
      if (marked) {
        widget.label = this.#labels.get(widget);
        this.#labels.delete(widget);
      } else {
        this.#labels.set(widget, widget.label);
        widget.label = MARK + (widget.label ?? widget.name);
      }
    }
  }

  #addNotes() {
    this.notes = new Notes(() => this.#resize());
    const height = () => this.notes.height + MARGINS;
    this.panel = this.#add("kling_notes", this.notes.element, height, height);
    this.panel.hidden = true;
  }

  #addExpand() {
    this.expand = new ExpandEditor((values) => this.#take(values));
    this.#add("kling_expand", this.expand.element, () => HEIGHT);
  }

  #add(name, element, getMinHeight, getMaxHeight) {
    const options = { ...AWAY, getMinHeight, ...(getMaxHeight ? { getMaxHeight } : {}) };
    const widget = this.#node.addDOMWidget(name, name.toUpperCase(), element, options);
    // Saved widget values go by place, so these stand last and are not among them.
    widget.serialize = false;
    return widget;
  }

  #resize() {
    this.panel.hidden = this.notes.empty;
    const [width, height] = this.#node.size;
    const least = this.#node.computeSize()[1];
    if (height < least) this.#node.setSize([width, least]);
    this.#host.redraw();
  }

  #showExpand(values) {
    if (!this.expand) return;
    const ratios = Object.fromEntries(SIDES.map((side) => [side, Number(values[ratioOf(side)] ?? 0)]));
    this.expand.show({ ...ratios, target: values.target_aspect ?? "off", anchor: values.anchor ?? "center" });
    this.expand.showPicture(this.#source("image")?.url ?? null);
  }

  /** Puts what was dragged into the number widgets. */
  #take({ target, ...ratios }) {
    for (const [side, value] of Object.entries(ratios)) this.#write(ratioOf(side), value);
    if (target) this.#write("target_aspect", target);
    this.#showExpand(this.#values());
  }

  #write(name, value) {
    const widget = this.#node.widgets.find((one) => one.name === name);
    widget.value = value;
    widget.callback?.(value);
  }

  /** Offers the connected pictures in the prompt's field, if `field` is that. */
  attend(field) {
    if (!this.#groups.length || this.#attended.has(field) || this.#host.promptOf(this.#node) !== field) return;
    this.#attended.add(field);
    field.addEventListener("input", () => this.look());
    this.#host.menu.attend(field, () => this.pictures());
  }

  #markPrompt(wrong) {
    const field = this.#host.promptOf(this.#node);
    if (!field || field.hasAttribute("data-kling-wrong") === wrong) return;
    field.toggleAttribute("data-kling-wrong", wrong);
    if (wrong) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

/** Picture inputs by name: what a socket of each looks like. An optional one is drawn hollow. */
function socketsOf({ required = {}, optional = {} }) {
  const names = Object.keys({ ...required, ...optional });
  const pictures = names.filter((name) => (required[name] ?? optional[name])[0] === PICTURE);
  return Object.fromEntries(pictures.map((name) => [name, name in optional ? { shape: HOLLOW } : {}]));
}

function ratioOf(side) {
  return `${side}_expansion_ratio`;
}

/** Calls `then` whenever `owner` does `name`, after what it did before. */
export function after(owner, name, then) {
  const before = owner[name];
  owner[name] = function (...given) {
    const said = before?.apply(this, given);
    then();
    return said;
  };
}
