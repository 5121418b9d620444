// The calls of the page, each with the FullStory calls that came of it.

// A way to run a function when a queue of calls gets to this point: methods that answer at once.
let marks = 0;
const MARKS = {
  analytics(api, reached) {
    const name = `panel ${++marks}`;
    api.once(name, reached);
    api.emit(name);
  },
  rudderanalytics: (api, reached) => api.ready(reached),
};

export class Calls {
  #changed;
  #current = null; // the page call that FullStory calls now come from
  #waiting = new Set(); // page calls in the queue

  /** `changed(entry)` is called when an entry is new or has changed. */
  constructor(changed) {
    this.#changed = changed;
  }

  /** Record the calls on `window[name]`, and where they were made: while the bridge was loading, or live. */
  watch(name, bridge) {
    const api = window[name];
    const original = { ...api };
    bridge.ready.catch(() => this.#waiting.forEach((entry) => this.#finish(entry)));
    for (const method of Object.keys(api)) {
      if (method === "push") continue;
      api[method] = (...args) => {
        const entry = { name: `${name}.${method}`, args, fullstory: [], queued: bridge.status === "loading", wait: 0 };
        const perform = () => original[method](...args);
        const result = entry.queued ? this.#queued(entry, perform, MARKS[name], original) : this.#live(entry, perform);
        this.#changed(entry);
        return result;
      };
    }
  }

  /** A call on FullStory was made at `time`. */
  heard(name, args, time) {
    const call = { name, args };
    if (this.#current) {
      this.#current.fullstory.push(call);
      this.#current.wait = time - this.#current.start;
    } else {
      this.#changed({ name: "", args: [], fullstory: [call], done: true }); // made on FS directly
    }
  }

  #live(entry, perform) {
    const before = this.#current; // a call may be made inside another one
    this.#current = entry;
    entry.start = performance.now();
    try {
      return perform();
    } finally {
      this.#current = before;
      entry.done = true;
    }
  }

  #queued(entry, perform, mark, original) {
    entry.start = performance.now();
    this.#waiting.add(entry);
    mark(original, () => (this.#current = entry));
    const result = perform();
    mark(original, () => {
      this.#current = null;
      this.#finish(entry);
    });
    return result;
  }

  #finish(entry) {
    this.#waiting.delete(entry);
    entry.wait ||= performance.now() - entry.start;
    entry.done = true;
    this.#changed(entry);
  }
}
