// What the pack's parts ask of ComfyUI's editor: its server, its messages, its graph.

const SECONDS = 6;

export class Host {
  /** Called after a key was set or removed. */
  keysChanged = () => {};
  #app;
  #api;

  constructor(app, api) {
    [this.#app, this.#api] = [app, api];
  }

  /** The JSON behind a path of the pack. Raises Error with the server's own words. */
  async get(path) {
    return answered(await this.#api.fetchApi(path));
  }

  /** Sends JSON and returns the JSON that is answered. Raises Error with the server's own words. */
  async send(method, path, body = {}) {
    const headers = { "Content-Type": "application/json" };
    return answered(await this.#api.fetchApi(path, { method, headers, body: JSON.stringify(body) }));
  }

  thumbnail(handle) {
    return this.#api.apiURL(`/kling/tasks/${encodeURIComponent(handle)}/thumbnail`);
  }

  /** A message that goes by itself: `info` or `error`. */
  tell(severity, words, seconds = SECONDS) {
    const toast = this.#app.extensionManager.toast;
    if (toast[severity]) toast[severity](words, { duration: seconds * 1000 });
    else toast.add({ severity, summary: words, life: seconds * 1000 });
  }

  /** Puts text into the clipboard; a page that is not on this machine and not https may only do so by a selection. */
  async copy(words) {
    if (navigator.clipboard) return navigator.clipboard.writeText(words);
    const field = document.createElement("textarea");
    field.value = words;
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    if (!copied) throw new Error(words);
    return undefined;
  }

  /** A node's name as the editor shows it. */
  nodeTitle(type) {
    return window.LiteGraph.registered_node_types[type]?.title ?? type;
  }

  /** Adds a KlingPoll with this handle; returns its title. */
  addPoll(handle) {
    return this.#add("KlingPoll", { task: handle }).title;
  }

  /** Adds a LoadImage for each file of the input folder; returns the title of the last one. */
  addPictures(files) {
    return files.map((file, place) => this.#add("LoadImage", { image: file }, place)).at(-1).title;
  }

  /** The open graph and those inside of it. */
  get graphs() {
    const graph = this.#app.graph;
    return graph ? [graph, ...(graph.subgraphs?.values() ?? [])] : [];
  }

  hasNode(test) {
    return this.graphs.some((graph) => graph.nodes?.some(test));
  }

  setting(id, value) {
    const { setting } = this.#app.extensionManager;
    return value === undefined ? setting.get(id) : setting.set(id, value);
  }

  #add(type, values, place = 0) {
    const canvas = this.#app.canvas;
    const graph = canvas.graph ?? this.#app.graph;
    const node = window.LiteGraph.createNode(type);
    const [left, top, width, height] = canvas.ds.visible_area;
    const step = 40 * place;
    node.pos = [left + (width - node.size[0]) / 2 + step, top + (height - node.size[1]) / 2 + step];
    graph.beforeChange();
    graph.add(node);
    for (const [name, value] of Object.entries(values)) fill(node, name, value);
    graph.afterChange();
    canvas.deselectAll?.();
    canvas.select?.(node);
    return node;
  }
}

/** Sets a widget as if it had been chosen; a file that came into the folder just now is offered as well. */
function fill(node, name, value) {
  const widget = node.widgets.find((one) => one.name === name);
  const offered = widget.options?.values;
  if (Array.isArray(offered) && !offered.includes(value)) offered.push(value);
  widget.value = value;
  widget.callback?.(value);
}

async function answered(response) {
  const told = await response.text();
  let read;
  try {
    read = JSON.parse(told);
  } catch {
    read = { message: told };
  }
  if (!response.ok) throw new Error(read.message || `HTTP ${response.status}`);
  return read;
}
