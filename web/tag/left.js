/*
 * What pages leave behind: items in localStorage, for the tab's next page. Item: how many calls were dropped, then calls as
 * JSON. Keys go on with the time, and the tab's name.
 *
 * A copied sessionStorage copies the tab's name only: whoever removes an item performs what is in it.
 */

import { decode, toText } from "./codec.js";
import { isArray, keys, now, parse } from "./natives.js";
import { CALL, MESSAGE, OPERATION } from "./queue.js";

export const PREFIX = "fsbridge:left:";

const KINDS = [CALL, OPERATION, MESSAGE];
const parts = (key) => key.split(/[:-]/);
const size = (text) => 2 * text.length; // as browsers count

export class LeftBehind {
  #open;
  #limits;

  /* `open()` gives the storage. Like all methods it throws where that is denied. */
  constructor(open, limits) {
    this.#open = open;
    this.#limits = limits;
  }

  /* The key of a new item. */
  name = (tab) => `${PREFIX}${now()}-${tab}-${word()}`;

  /* The keys of all, the oldest first; of one tab, where one is named. */
  keys(tab) {
    const found = keys(this.#open()).filter((key) => key.startsWith(PREFIX));
    return found.filter((key) => !tab || parts(key)[3] === tab).sort();
  }

  /* Those that their tab's next page would have taken by now, `grace` milliseconds after. */
  orphans = (grace) => this.keys().filter((key) => now() - parts(key)[2] > grace);

  /* Removes an item, and gives its entries and how many calls were dropped. */
  take(key) {
    const found = this.#read(key);
    this.#open().removeItem(key);
    return found;
  }

  /*
   * Stores entries, and how many calls this page has dropped. The newest are kept: what is too much is dropped, of this
   * item and then of the oldest others.
   */
  put(key, entries, dropped) {
    const storage = this.#open();
    const texts = [];
    let bytes = 0;
    let calls = 0;
    const fits = (text, count) => (bytes += size(text)) <= this.#limits.bytes && (calls += count) <= this.#limits.calls;
    for (let index = entries.length; index--; ) {
      const { kind, method, args, moment } = entries[index];
      try {
        const text = toText([kind, method, args, moment]);
        if (size(text) <= this.#limits.bytes && fits(text, 1)) texts.unshift(text);
        else dropped++;
      } catch {
        dropped++; // it goes round in circles, or throws when it is read
      }
    }
    storage.removeItem(key);
    for (const other of this.keys().reverse()) {
      const found = this.#read(other);
      if (fits(storage.getItem(other), found.entries.length)) continue;
      storage.removeItem(other);
      dropped += found.dropped + found.entries.length;
    }
    storage.setItem(key, `[${[dropped, ...texts].join()}]`);
  }

  // What isn't ours gives nothing, and what has become too old counts as dropped.
  #read(key) {
    try {
      const [dropped, ...calls] = parse(this.#open().getItem(key));
      const entries = [];
      for (const call of calls) {
        const [kind, method, args, moment] = decode(call);
        const isFresh = now() - moment.time < this.#limits.age;
        if (isFresh && KINDS.includes(kind) && isArray(args))
          entries.push({ kind, method, args, moment, carried: true });
      }
      return { dropped: dropped + calls.length - entries.length, entries };
    } catch {
      return { dropped: 0, entries: [] };
    }
  }
}

/* Some letters and digits, by chance. */
export const word = () => Math.random().toString(36).slice(2);
