// Registers the sidebar tab. What is in it is made when somebody opens it.

import { TasksView } from "./tasks_view.js";
import { text } from "./texts.js";

const EVENTS = ["status", "execution_start", "execution_success", "execution_error", "execution_interrupted"];

export function addTasksTab(app, api, host) {
  let view = null;
  app.extensionManager.registerSidebarTab({
    id: "kling-tasks",
    icon: "pi pi-images",
    title: text("tasks.tab"),
    tooltip: text("tasks.tooltip"),
    type: "custom",
    render(parent) {
      view ??= new TasksView(host);
      view.open(parent);
    },
    destroy: () => view?.close(),
  });
  for (const event of EVENTS) api.addEventListener(event, () => view?.refresh());
}
