// The tab: spend above, the tasks of every run below. Asks while it is seen, each second while something runs
// or may come.

import { make, say, show } from "./dom.mjs";
import { TaskRow } from "./task_row.mjs";
import { Board, FILTERS, budget, matches, saved, spent, spentBy } from "./tasks.mjs";
import { text } from "./texts.mjs";

const MOST = 1000;
const NEWEST = 50;
const AT_ONCE = 60;
const RUNNING_SECONDS = 1;
const RESTING_SECONDS = 15;
const WHOLE_EVERY = 20;

export class TasksView {
  #host;
  #busy;
  #board = new Board();
  #rows = new Map();
  #filter = "all";
  #limit = AT_ONCE;
  #asked = 0;
  #timer = null;
  #seen = false;
  #asking = false;
  #again = false;
  #more;

  /** `busy()` says whether ComfyUI has work in its queue, of which a task may come at any moment. */
  constructor(host, busy) {
    [this.#host, this.#busy] = [host, busy];
    this.#build();
    const inView = (entries) => entries.some((entry) => entry.isIntersecting);
    this.#more = new IntersectionObserver((entries) => inView(entries) && this.#showMore());
    this.#more.observe(this.end);
    document.addEventListener("visibilitychange", () => this.refresh());
  }

  /** Shows the tab in `parent`, as often as ComfyUI likes. */
  open(parent) {
    if (this.root.parentNode !== parent) parent.replaceChildren(this.root);
    parent.style.height = "100%"; // so that the list scrolls and what stands above it stays
    if (this.#seen) return;
    [this.#seen, this.#asked] = [true, 0];
    this.refresh();
  }

  /** The tab is gone: nothing is asked any more. */
  close() {
    this.#seen = false;
    clearTimeout(this.#timer);
  }

  /** Asks now, if anybody looks; one at a time: no older answer comes last. */
  refresh() {
    clearTimeout(this.#timer);
    if (this.#asking) this.#again = true;
    else if (this.#seen && !document.hidden) this.#refresh();
  }

  async #refresh() {
    const whole = this.#asked % WHOLE_EVERY === 0 || this.#board.runsBelow(NEWEST);
    const first = this.#asked++ === 0;
    [this.#asking, this.#again] = [true, false];
    try {
      const { tasks } = await this.#host.get(`/kling/tasks?limit=${whole ? MOST : NEWEST}`);
      const changed = this.#board.take(tasks);
      say(this.problem, "");
      this.#draw();
      if (changed.length) say(this.news, changed.map((task) => this.#announced(task)).join(". "));
      if (first || changed.length || whole) await this.#drawSpend();
    } catch (error) {
      say(this.problem, text("tasks.unreachable", { reason: error.message }));
    }
    const running = this.#busy() || this.#board.count("running") > 0;
    this.#asking = false;
    const pause = this.#again ? 0 : running ? RUNNING_SECONDS : RESTING_SECONDS;
    if (this.#seen) this.#timer = setTimeout(() => this.refresh(), 1000 * pause);
  }

  #announced(task) {
    return text("tasks.now", { node: this.#host.nodeTitle(task.node), state: text(`state.${task.state}`) });
  }

  #build() {
    this.title = make("h2", { id: "kling-tasks-title" }, text("tasks.title"));
    this.spend = make("dl", { class: "kling-spend", "aria-label": text("spend.title") });
    this.filters = FILTERS.map((name) => {
      const count = make("span", { class: "kling-count" });
      const click = () => this.#choose(name);
      const props = { type: "button", "data-filter": name, "aria-pressed": String(name === this.#filter), click };
      return make("button", props, text(`tasks.${name}`), " ", count);
    });
    this.list = make("ul", { class: "kling-list", "aria-label": text("tasks.list") });
    this.empty = make("p", { class: "kling-empty" });
    this.end = make("p", { class: "kling-end" });
    this.problem = make("p", { class: "kling-problem", role: "alert" });
    this.news = make("p", { class: "kling-unseen", role: "status" });
    const props = { class: "kling-filters", role: "group", "aria-label": text("tasks.show") };
    const choose = make("div", props, this.filters);
    const scroll = make("div", { class: "kling-scroll" }, this.list, this.empty, this.end);
    const parts = [this.title, this.spend, choose, this.problem, scroll, this.news];
    this.root = make("section", { class: "kling-tasks", "aria-labelledby": "kling-tasks-title" }, parts);
  }

  #choose(filter) {
    this.#filter = filter;
    this.#limit = AT_ONCE;
    for (const one of this.filters) one.setAttribute("aria-pressed", String(one.dataset.filter === filter));
    this.#draw();
  }

  #showMore() {
    if (this.#limit >= this.#board.count(this.#filter)) return;
    this.#limit += AT_ONCE;
    this.#draw();
    // The end may still be in view, and is only told of when it comes into it.
    this.#more.unobserve(this.end);
    this.#more.observe(this.end);
  }

  #draw() {
    const all = this.#board.tasks;
    const wanted = all.filter((task) => matches(task, this.#filter));
    const shown = wanted.slice(0, this.#limit).map((task) => this.#row(task).element);
    const before = [...this.list.children];
    if (before.length !== shown.length || before.some((row, place) => row !== shown[place])) this.#place(shown);
    for (const one of this.filters) {
      say(one.querySelector(".kling-count"), counted(this.#board.count(one.dataset.filter)));
    }
    show(this.empty, !wanted.length);
    say(this.empty, text(all.length ? "tasks.none_here" : "tasks.none"));
    say(this.end, all.length >= MOST && shown.length >= wanted.length ? text("tasks.most", { count: MOST }) : "");
  }

  /** Brings the list to these rows, leaving alone what stays: a row that is moved loses the focus. */
  #place(rows) {
    const stay = new Set(rows);
    for (const row of [...this.list.children]) if (!stay.has(row)) row.remove();
    rows.forEach((row, place) => {
      if (this.list.children[place] !== row) this.list.insertBefore(row, this.list.children[place] ?? null);
    });
  }

  #row(task) {
    const known = this.#rows.get(task.number);
    if (known) known.update(task);
    else this.#rows.set(task.number, new TaskRow(task, this.#host, (...does) => this.#act(...does)));
    return this.#rows.get(task.number);
  }

  async #drawSpend() {
    const told = await this.#host.get("/kling/spend");
    const limit = budget(told.budget);
    const bar = limit && make("progress", { max: 1, value: limit.share, "aria-label": text("spend.budget") });
    this.spend.replaceChildren(
      ...line(text("spend.today"), spent(told.today)),
      ...line(text("spend.month"), spent(told.month), spentBy(told.month)),
      ...(limit ? line(text("spend.budget"), limit.line, [], bar) : []),
      ...line(text("spend.saved"), saved(told.month)),
    );
  }

  /** Does what a button says and tells what came of it; the button waits meanwhile. */
  async #act(name, task, button, ...given) {
    button.setAttribute("aria-busy", "true");
    try {
      const told = await ACTS[name](this.#host, task, ...given);
      if (name === "read") return told;
      if (told) this.#host.tell("info", told);
      this.refresh();
    } catch (error) {
      this.#host.tell("error", text("done.failed", { reason: error.message }));
    } finally {
      button.removeAttribute("aria-busy");
    }
    return null;
  }
}

const ACTS = {
  async read(host, task) {
    return (await host.get(path(task))).task;
  },
  async cancel(host, task) {
    return (await host.send("POST", `${path(task)}/cancel`)).message;
  },
  async settle(host, task, settled) {
    const { task: now } = await host.send("POST", `${path(task)}/resolve`, settled);
    return text("tasks.now", { node: now.handle, state: text(`state.${now.state}`) });
  },
  async copy(host, task) {
    await host.copy(task.handle);
    return text("done.copied", task);
  },
  poll(host, task) {
    return text("done.added", { node: host.addPoll(task.handle) });
  },
  async load(host, task) {
    const { files } = await host.send("POST", `${path(task)}/input`);
    return text("done.added", { node: host.addPictures(files) });
  },
};

const path = (task) => `/kling/tasks/${encodeURIComponent(task.handle)}`;
const counted = (count) => (count ? String(count) : "");

function line(name, words, lines = [], more = null) {
  const small = lines.map((one) => make("small", {}, one));
  return [make("dt", {}, name), make("dd", {}, words, small, more)];
}
