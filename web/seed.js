// What happens to `seed` after a run. ComfyUI's default would change it, and so pay, on every Run.

const CONTROL = "control_after_generate";
const FIXED = "fixed";

/** Sets the after-run control of a new node to fixed. A saved workflow's own value is loaded after this. */
export function holdSeed(node) {
  const seed = node.widgets?.find((widget) => widget.name === "seed");
  const control =
    seed?.linkedWidgets?.find((widget) => widget.name === CONTROL) ??
    node.widgets?.find((widget) => widget.name === CONTROL);
  if (control) control.value = FIXED;
}
