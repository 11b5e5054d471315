// The English texts, for tests of what shows them: import it before anything is shown.

import { readFileSync } from "node:fs";
import { useLocale } from "../../web/texts.mjs";

export const WEB = new URL("../../web/", import.meta.url);

export async function read(file) {
  return JSON.parse(readFileSync(new URL(file, WEB), "utf-8"));
}

await useLocale("en", read);
