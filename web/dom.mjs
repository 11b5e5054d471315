// Elements in one expression. Texts are always set as text, never as HTML.

/** An element; `props` are attributes, of which functions are listeners and null or false ones are left out. */
export function make(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (isGiven(value)) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter(isGiven));
  return made;
}

const isGiven = (value) => value !== null && value !== undefined && value !== false;

/** Sets an element's text only where it differs, so that nothing is read out or laid out again. */
export function say(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

/** Shows an element or takes it away, for everybody. */
export function show(element, shown) {
  if (element.hidden === shown) element.hidden = !shown;
}
