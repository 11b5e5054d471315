// What the pack offers, as `GET /kling/catalog` tells it: fetched once, when the first Kling node appears.

export class Catalog {
  #ask;
  #asked = null;
  #listeners = new Set();

  /** `ask` returns the route's JSON as a promise. */
  constructor(ask) {
    this.#ask = ask;
    /** What was told last, or null as long as nothing was. */
    this.told = null;
  }

  /** Tells `listener` whenever the catalogue has come or changed. Returns a function that ends it. */
  follow(listener) {
    this.#listeners.add(listener);
    if (!this.#asked) this.refresh();
    return () => this.#listeners.delete(listener);
  }

  /** Asks again, as after a key was set. Where no answer comes, what was told before stays. */
  async refresh() {
    const asked = this.#ask();
    this.#asked = asked;
    const told = await asked.catch(() => null);
    if (this.#asked !== asked || !told?.models) return;
    this.told = told;
    for (const listener of this.#listeners) listener(told);
  }

  operation(nodeType) {
    return this.told?.operations.find((operation) => operation.node === nodeType);
  }
}
