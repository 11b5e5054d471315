// What the pack adds to its nodes in ComfyUI's graph, in both renderers, and what it needs of the editor for that.

import { Catalog } from "./catalog.mjs";
import { after, GeneratingNode } from "./generating_node.mjs";
import { ReferencesMenu } from "./references_menu.mjs";

export class NodeParts {
  #app;
  #api;
  #menu = null;
  #dressed = new Map();

  constructor(app, api) {
    [this.#app, this.#api] = [app, api];
    this.catalog = new Catalog(async () => (await api.fetchApi("/kling/catalog")).json());
  }

  /** Hears what happens in the editor; once, when it starts. */
  listen() {
    document.addEventListener("focusin", ({ target }) => {
      if (target.tagName === "TEXTAREA") for (const shown of this.#dressed.values()) shown.attend(target);
    });
    this.#api.addEventListener("executed", () => this.#lookAgain());
    // The server may have been started anew with other keys.
    this.#api.addEventListener("reconnected", () => this.catalog.refresh());
  }

  /** Takes in a node of any kind. */
  created(node, isOurs) {
    const definition = node.constructor?.nodeData;
    const generates = isOurs(definition) && node.widgets?.some((widget) => widget.name === "model");
    if (generates) return void this.#dressed.set(node, new GeneratingNode(node, definition, this));
    // A node that loads a picture tells of another one only by its widget.
    const loads = node.widgets?.find((widget) => widget.name === "image");
    if (loads) after(loads, "callback", () => this.#lookAgain());
  }

  /** The menu of pictures that all prompts share. */
  get menu() {
    this.#menu ??= new ReferencesMenu();
    return this.#menu;
  }

  /** The address of a picture on the server: `query` is { filename, subfolder, type }. */
  view(query) {
    return this.#api.apiURL(`/view?${new URLSearchParams(query)}`);
  }

  /** What nodes showed last, by id. */
  get outputs() {
    return this.#app.nodeOutputs ?? {};
  }

  /** The field a node's prompt is typed in, in either renderer, or null. */
  promptOf(node) {
    const own = node.widgets?.find((widget) => widget.name === "prompt")?.element;
    return own?.isConnected ? own : document.querySelector(`[data-node-id="${node.id}"] textarea`);
  }

  badge(words) {
    const { vueNodesMode, BADGE_FG_COLOR, BADGE_BG_COLOR } = window.LiteGraph;
    const colours = vueNodesMode
      ? { fgColor: "currentColor", bgColor: "color-mix(in srgb, currentColor 12%, transparent)" }
      : { fgColor: BADGE_FG_COLOR, bgColor: BADGE_BG_COLOR };
    return new window.LGraphBadge({ text: words, ...colours });
  }

  /** Has the graph drawn again. */
  redraw() {
    this.#app.canvas?.setDirty(true, true);
  }

  #lookAgain() {
    for (const [node, shown] of this.#dressed) {
      if (node.graph) shown.look();
      else this.#dressed.delete(node);
    }
  }
}
