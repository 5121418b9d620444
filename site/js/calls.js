// The calls of the page, each with the FullStory calls that came of it.

// A way to run a function when a queue of calls gets to this point: methods that answer at once. RudderStack's API has
// none: its waiting calls go out together when they are all taken. Each that sends anything makes one FullStory call,
// but for Classic's pages, which may make an event and page properties.
let marks = 0;
const MARKS = {
  analytics(api, reached) {
    const name = `panel ${++marks}`;
    api.once(name, reached);
    api.emit(name);
  },
};
const SENDING = ["page", "track", "identify"];
const PAGE_EVENT = /^(Loaded a|Viewed .*) Page$/;

/** The method of the page's API that a FullStory call usually comes from. */
function methodFor(name, [first, second]) {
  if (name === "FS.event") return PAGE_EVENT.test(first) ? "page" : "track";
  if (name === "FS") return first === "trackEvent" ? "track" : second?.type === "page" ? "page" : "identify";
  return name === "FS.setVars" ? "page" : "identify";
}

export class Calls {
  #changed;
  #current = null; // the page call that FullStory calls now come from
  #waiting = new Set(); // page calls in the queue
  #last = null; // the one of them that made the last FullStory call

  /** `changed(entry)` is called when an entry is new or has changed. */
  constructor(changed) {
    this.#changed = changed;
  }

  /** Record the calls on `window[name]`, and where they were made: while the bridge was loading, or live. */
  watch(name, bridge) {
    const api = window[name];
    const original = { ...api };
    const finishAll = () => this.#waiting.forEach((entry) => this.#finish(entry));
    bridge.ready.then(finishAll, finishAll);
    for (const method of Object.keys(api)) {
      if (method === "push") continue;
      api[method] = (...args) => {
        const entry = { name: `${name}.${method}`, method, args, fullstory: [], queued: bridge.status === "loading", wait: 0 };
        entry.together = !MARKS[name] && SENDING.includes(method);
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
    const maker = this.#current || this.#together(call);
    if (maker) {
      maker.fullstory.push(call);
      maker.wait = time - maker.start;
    } else {
      this.#changed({ name: "", args: [], fullstory: [call], done: true }); // made on FS directly
    }
  }

  /** Which of the waiting calls makes this FullStory call: the first of its kind that has made none yet. */
  #together({ name, args }) {
    const method = methodFor(name, args);
    const last = this.#last;
    const second = method === "page" && last?.method === "page" && last.fullstory.length === 1;
    if (second && last.fullstory[0].name !== name) return last;
    const silent = [...this.#waiting].filter((entry) => entry.together && !entry.fullstory.length);
    return (this.#last = silent.find((entry) => entry.method === method) ?? silent[0]);
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
    mark?.(original, () => (this.#current = entry));
    const result = perform();
    mark?.(original, () => {
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
