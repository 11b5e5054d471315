// Every text that the pack's own parts of the editor show, from `texts/`. Names in braces are filled in.

const LANGUAGES = ["en", "zh"];
let table = {};

/**
 * Chooses the language by ComfyUI's own setting, as `en`, `zh` or `zh-TW`; English where there is no table for it.
 * `read(file)` fetches JSON. To be waited for before any text is shown.
 */
export async function useLocale(locale, read) {
  const language = String(locale ?? "").split("-")[0];
  table = await read(`./texts/${LANGUAGES.includes(language) ? language : "en"}.json`);
}

/** The text of `key`, with `{names}` replaced by `values`. A key without a text shows itself. */
export function text(key, values = {}) {
  return (table[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
