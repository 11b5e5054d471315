// The nodes' texts in the editor's language, for editors that lose them: about 1.31 to 1.34, a language's own texts are
// loaded after the packs' ones, and over them. Where the editor has kept them, the same texts are set again.

let texts = {};

/** Keeps what `GET /i18n` answered of one language. */
export function keepTexts(translations, locale) {
  texts = translations?.[locale]?.nodeDefs ?? {};
}

/** Puts title, description and tooltips into a node's definition, before the editor registers it. */
export function translateDefinition(definition) {
  const own = texts[definition.name];
  if (!own) return;
  definition.display_name = own.display_name;
  definition.description = own.description;
  for (const group of [definition.input?.required, definition.input?.optional]) {
    for (const [name, [, options]] of Object.entries(group ?? {})) {
      if (options) options.tooltip = own.inputs[name]?.tooltip ?? options.tooltip;
    }
  }
  definition.output_tooltips = definition.output_tooltips?.map((text, place) => own.outputs[place]?.tooltip ?? text);
}

/** Labels the sockets and widgets of a new node; their names, which workflows are saved with, stay. */
export function translateNode(node) {
  const own = texts[node.comfyClass];
  if (!own) return;
  for (const input of node.inputs ?? []) input.localized_name = own.inputs[input.name]?.name ?? input.localized_name;
  for (const widget of node.widgets ?? []) widget.label = own.inputs[widget.name]?.name ?? widget.label;
  node.outputs?.forEach((output, place) => {
    output.localized_name = own.outputs[place]?.name ?? output.localized_name;
  });
}
