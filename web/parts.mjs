// What the pack adds to an editor that has started: the tasks tab, the keys, and what its nodes show.

import { Host } from "./host.mjs";
import { SANDBOX_TOLD, addKeySettings, tellOfSandbox } from "./key_settings.mjs";
import { NodeParts } from "./node_parts.mjs";
import { addTasksTab } from "./tasks_tab.mjs";
import { useLocale } from "./texts.mjs";

export async function start(app, api, isOurs) {
  const host = new Host(app, api);
  const parts = new NodeParts(app, api);
  host.keysChanged = () => parts.catalog.refresh();
  for (const name of ["kling.css", "widgets.css"]) addStyle(name);
  await useLocale(host.setting("Comfy.Locale"), readJson);
  parts.listen();
  addTasksTab(app, api, host);
  tellOfSandbox(api, host);
  const created = (node) => parts.created(node, isOurs);
  app.registerExtension({ name: "kling.parts", settings: [SANDBOX_TOLD], nodeCreated: created });
  // Those that are there already.
  for (const graph of host.graphs) graph.nodes?.forEach(created);
  await addKeySettings(app, host);
}

function addStyle(file) {
  const { href } = new URL(file, import.meta.url);
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
}

async function readJson(file) {
  return (await fetch(new URL(file, import.meta.url))).json();
}
