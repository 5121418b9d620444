/* Writes down what a page leaves behind, for the tab's next page. web/live/items.js reads it. */

import { toText } from "./codec.js";
import { PREFIX } from "./entries.js";
import { keys, parse } from "./natives.js";

const size = (text) => 2 * text.length; // as browsers count

/*
 * Stores entries in an item, and how many calls this page has dropped. The newest are kept: what is too much for the limits is
 * dropped, of this item and then of the oldest others. Throws where storage is full or denied.
 */
export function put(storage, key, entries, dropped, limits) {
  const texts = [];
  let bytes = 0;
  let calls = 0;
  const fits = (text, count) => (bytes += size(text)) <= limits.bytes && (calls += count) <= limits.calls;
  for (let index = entries.length; index--; ) {
    const { kind, method, args, moment } = entries[index];
    try {
      const text = toText([kind, method, args, moment]);
      if (size(text) <= limits.bytes && fits(text, 1)) texts.unshift(text);
      else dropped++;
    } catch {
      dropped++; // it goes round in circles, or throws when it is read
    }
  }
  storage.removeItem(key);
  for (const other of itemKeys(storage).reverse()) {
    const text = storage.getItem(other);
    let lost = 0;
    let count = 0;
    try {
      const found = parse(text);
      count = found.slice(1).length;
      lost = +found[0] || 0;
    } catch {
      // it isn't ours
    }
    if (fits(text, count)) continue;
    storage.removeItem(other);
    dropped += lost + count;
  }
  storage.setItem(key, `[${[dropped, ...texts].join()}]`);
}

/* The keys of all items, the oldest first. */
export const itemKeys = (storage) =>
  keys(storage)
    .filter((key) => key.startsWith(PREFIX))
    .sort();

/* Some letters and digits, by chance. */
export const word = () => Math.random().toString(36).slice(2);
