// Picture sockets of a kind (`image_1` … `image_10`): those with a link and one more to connect; the rest are away.

const NUMBERED = /^(.+)_(\d+)$/;

/** The sockets of a schema that come in numbers, as lists of names, each in order: [["image_1", "image_2", …], …]. */
export function numberedSockets(names) {
  const groups = new Map();
  for (const name of names) {
    const stem = name.match(NUMBERED)?.[1];
    if (stem) groups.set(stem, [...(groups.get(stem) ?? []), name]);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

/** Of one group, what is to be seen: everything connected and the first socket that is free. */
export function shownOf(group, connected) {
  const free = group.find((name) => !connected.has(name));
  return group.filter((name) => connected.has(name) || name === free);
}

/** The first empty socket of a group that stands before a connected one, or null. */
export function gapIn(groups, connected) {
  for (const group of groups) {
    const place = group.findIndex((name) => !connected.has(name));
    if (place >= 0 && group.slice(place).some((name) => connected.has(name))) return group[place];
  }
  return null;
}

/**
 * Gives a node in a graph the sockets it is to show, in the schema's order. `order` are all names of the schema's
 * sockets, `added(name)` tells what a socket that comes back looks like: { type, …properties }.
 */
export function fitSlots(node, groups, order, added) {
  const connected = connectedInputs(node);
  let changed = false;
  for (const group of groups) {
    const shown = shownOf(group, connected);
    for (const name of group) {
      const place = node.inputs.findIndex((input) => input.name === name);
      if (place >= 0 && !shown.includes(name)) node.removeInput(place);
      else if (place < 0 && shown.includes(name)) add(node, name, order, added(name));
      else continue;
      changed = true;
    }
  }
  return changed;
}

/** The names of a node's inputs that have a link. */
export function connectedInputs(node) {
  return new Set(node.inputs.filter((_, place) => node.getInputLink(place)).map((input) => input.name));
}

function add(node, name, order, { type, ...properties }) {
  node.addInput(name, type, properties);
  const later = new Set(order.slice(order.indexOf(name) + 1));
  const to = node.inputs.findIndex((input) => later.has(input.name));
  if (to >= 0 && to < node.inputs.length - 1) moveLast(node, to);
}

/** Moves the last input to `to`. A link knows its input by place, so those behind move along, the last one first. */
function moveLast(node, to) {
  const links = node.inputs.map((_, place) => node.getInputLink(place));
  const inputs = [...node.inputs];
  inputs.splice(to, 0, inputs.pop());
  node.inputs.splice(0, inputs.length, ...inputs);
  for (let place = links.length - 2; place >= to; place -= 1) {
    if (links[place]) links[place].target_slot = place + 1;
  }
}
