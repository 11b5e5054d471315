// Which picture comes into a socket, as far as the editor can know before a run.

const PICTURE = /\.(png|jpe?g|webp|gif|bmp|tiff?|avif)$/i;
const PLACE = /^(?:(.*)\/)?([^/]+?)(?: \[(input|output|temp)\])?$/;
const LONGEST_WAY = 20;

/**
 * The picture at input `name`: { node, url, single }, or null where nothing is connected. `node` is where it comes
 * from, `url` is null where it is not known yet, `single` says that it cannot be a batch. `view` turns the query of
 * ComfyUI's /view into an address; `outputs` are what nodes showed last, by id.
 */
export function sourceOf(node, name, view, outputs = {}) {
  const place = node.inputs.findIndex((input) => input.name === name);
  const link = place < 0 ? null : node.getInputLink(place);
  const from = link && originOf(node.graph, link);
  if (!from) return link ? { node: null, url: null, single: false } : null;
  const chosen = chosenFile(from.node);
  if (chosen) return { node: from.node, url: view(chosen), single: true };
  return { node: from.node, url: shownBy(from, view, outputs), single: false };
}

/** A picture that a widget of a loading node names, as a query of /view. */
export function chosenFile(node) {
  const value = node.widgets?.find((widget) => widget.name === "image")?.value;
  if (typeof value !== "string") return null;
  const [, subfolder = "", filename, type = "input"] = value.match(PLACE) ?? [];
  return filename && PICTURE.test(filename) ? { filename, subfolder, type } : null;
}

/** Where a link begins, past reroutes that are nodes. */
function originOf(graph, link) {
  for (let way = 0; link && way < LONGEST_WAY; way += 1) {
    const node = graph.getNodeById(link.origin_id);
    if (!node) return null;
    if (node.type !== "Reroute") return { graph, node, slot: link.origin_slot };
    link = node.getInputLink(0);
  }
  return null;
}

/** What the node itself or a preview beside it showed last. */
function shownBy({ graph, node, slot }, view, outputs) {
  const near = [node, ...neighbours(graph, node, slot)];
  for (const one of near) {
    const picture = outputs[one.id]?.images?.find((image) => PICTURE.test(image.filename ?? ""));
    if (picture) return view(picture);
    if (one.imgs?.[0]?.src) return one.imgs[0].src;
  }
  return null;
}

function neighbours(graph, node, slot) {
  const nodes = node.getOutputNodes?.(slot) ?? [];
  return nodes.filter((one) => !one.outputs?.length && one.graph === graph);
}
