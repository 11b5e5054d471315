// Registers the sidebar tab. What is in it is made when somebody opens it.

import { TasksView } from "./tasks_view.mjs";
import { text } from "./texts.mjs";

const EVENTS = ["execution_start", "execution_success", "execution_error", "execution_interrupted"];

export function addTasksTab(app, api, host) {
  let view = null;
  let busy = false;
  app.extensionManager.registerSidebarTab({
    id: "kling-tasks",
    icon: "pi pi-images",
    title: text("tasks.tab"),
    tooltip: text("tasks.tooltip"),
    type: "custom",
    render(parent) {
      view ??= new TasksView(host, () => busy);
      view.open(parent);
    },
    destroy: () => view?.close(),
  });
  // Every editor is told how long the queue is, the other events only who queued.
  api.addEventListener("status", ({ detail }) => {
    busy = (detail?.exec_info?.queue_remaining ?? 0) > 0;
    view?.refresh();
  });
  for (const event of EVENTS) api.addEventListener(event, () => view?.refresh());
}
