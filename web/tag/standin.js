/* Stands in for a vendor's object on the page, from the first moment and for good. */

import { isChained } from "./apis.js";
import { assign, defineProperty, isArray, keys, soon } from "./natives.js";
import { moment } from "./page.js";
import { say } from "./say.js";

export class StandIn {
  /* What the page calls: an object with methods, and with push. */
  object = {};
  #api;
  #take;
  #drain;

  /* `take(method, args, moment, chain)` performs a call or lets it wait; `drain()` follows those that came in bulk. */
  constructor(api, take, drain) {
    this.#api = api;
    this.#take = take;
    this.#drain = drain;
    this.#offer(api.waiting);
    this.object.push = (...entries) => {
      this.#adopt(entries);
      drain();
    };
  }

  /* Python is live: the methods whose results pages use are there, too. */
  complete() {
    this.#offer(this.#api.answering);
  }

  #offer(methods) {
    const { object } = this;
    for (const method of methods) {
      const chain = isChained(method) && object;
      if (!(method in object)) assign(object, method, (...args) => this.#take(method, args, null, chain));
    }
  }

  /*
   * Serves the page: a vendor's snippet that comes later sets an array, whose calls are ours too. Anything else is the
   * page's own doing, a wrapper for instance.
   */
  serve() {
    const { object } = this;
    const { global } = this.#api;
    const before = window[global];
    let current = object;
    const set = (value) => {
      if (value === object) this.#shield();
      if (isArray(value)) this.#takeOver(value);
      else current = value;
    };
    try {
      defineProperty(window, global, { configurable: true, enumerable: true, get: () => current, set });
    } catch {
      // the page has declared it with var
    }
    if (window[global] !== object) assign(window, global, object);
    if (isArray(before)) this.#takeOver(before);
  }

  // What a vendor's snippet has buffered: [method, ...arguments, page context of Segment's newer snippets].
  #adopt(entries) {
    const { global, waiting, answering } = this.#api;
    for (const entry of [...entries]) {
      try {
        const [method, ...args] = [].slice.call(entry, 0, 99); // anything may say that it is long
        const context = args[args.length - 1];
        let when = moment();
        if (context && context.__t === "bpc") {
          args.pop();
          when = { ...when, url: context.u, title: context.t, referrer: context.r, canonical: context.c || null };
        }
        if ([...waiting, ...answering].includes(method)) this.#take(method, args, when);
        else say(`${global} has no method ${String(method)}`);
      } catch (error) {
        say(error); // no array, or one that throws when it is read
      }
    }
  }

  // An array that a vendor's snippet buffers in.
  #takeOver(buffer) {
    const { push } = this.object;
    if (buffer.push === push) return;
    if (buffer._loadOptions) this.#take("load", [buffer._writeKey, buffer._loadOptions], moment()); // Segment's snippet
    this.#adopt(buffer);
    assign(buffer, "push", push); // for code that holds on to it
    this.#drain();
  }

  // A vendor's snippet after us begins with ``window.analytics = window.analytics || []``. As long as its script runs it
  // finds no initialize, without which it would leave out its own first calls, and can't replace our methods.
  #shield() {
    const { object } = this;
    const ours = {};
    const given = {};
    try {
      for (const name of keys(object)) {
        const method = object[name];
        if (typeof method !== "function") continue;
        const get = () => (name === "initialize" ? undefined : method);
        defineProperty(object, name, {
          configurable: true,
          enumerable: true,
          get,
          set: (value) => (given[name] = value),
        });
        ours[name] = method;
      }
    } catch {
      // the page has frozen it
    }
    soon(() => {
      for (const name of keys(ours)) {
        delete object[name];
        assign(object, name, ours[name]);
      }
      // Every snippet has a load of its own. Without, it was the page itself, which may wrap a method.
      if (!given.load) for (const name of keys(given)) assign(object, name, given[name]);
    });
  }
}
