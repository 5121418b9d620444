/*
 * What pages have left behind (web/tag/left.js), for the tab's next page.
 *
 * A copied sessionStorage copies the tab's name only: whoever removes an item performs what is in it.
 */

import { now, own } from "../own.js";
import { CALL, MESSAGE, OF_SDK, OPERATION, PREFIX } from "../tag/entries.js";
import { decode } from "./codec.js";

const KINDS = [CALL, OPERATION, MESSAGE, OF_SDK];
const isArray = own("Array", "isArray");
const keys = own("Object", "keys");
const parse = own("JSON", "parse");
const parts = (key) => key.split(/[:-]/);

/* The keys of all items, the oldest first; of one tab, where one is named. */
export const itemKeys = (storage, tab) =>
  keys(storage)
    .filter((key) => key.startsWith(PREFIX) && (!tab || parts(key)[3] === tab))
    .sort();

/* Those that their tab's next page would have taken by now, `grace` milliseconds after. */
export const orphans = (storage, grace) => itemKeys(storage).filter((key) => now() - parts(key)[2] > grace);

/* Removes an item, and gives its entries, and how many calls were dropped: also those older than `age`. */
export function takeItem(storage, key, age) {
  const text = storage.getItem(key);
  storage.removeItem(key);
  try {
    const [dropped, ...calls] = parse(text);
    const entries = [];
    for (const call of calls) {
      const [kind, method, args, moment] = decode(call);
      const isFresh = now() - moment.time < age;
      if (isFresh && KINDS.includes(kind) && isArray(args)) entries.push({ kind, method, args, moment, carried: true });
    }
    return { dropped: dropped + calls.length - entries.length, entries };
  } catch {
    return { dropped: 0, entries: [] }; // it isn't ours
  }
}
