/*
 * The tab's name, which its pages share: with a "+" as long as one of them may leave something behind, for it may be hidden
 * only after the next one has begun.
 */

import { word } from "./left.js";
import { now, pause } from "./natives.js";

const KEY = "fsbridge:tab";
const OVERLAP = 300; // milliseconds that a page may run on when the next one has begun

export let tab = ""; // the name
let overlaps = false; // whether the last page is yet to be hidden

// Nothing, where storage is denied.
function attempt(action) {
  try {
    return action();
  } catch {
    return undefined;
  }
}

/* A page begins. A window that a page has opened begins with a copy of that page's. */
export function enter() {
  tab = tab || word();
  const found = attempt(() => {
    const [{ type }] = performance.getEntriesByType("navigation");
    const isOpened = window.opener && history.length === 1 && type === "navigate";
    return !isOpened && sessionStorage.getItem(KEY);
  });
  overlaps = !!found && found.endsWith("+");
  if (found) [tab] = found.split("+");
  note("+");
}

/* Lets the next page know, by "+", that this one may still leave something, or by "" that it has. */
export const note = (mark) => attempt(() => sessionStorage.setItem(KEY, tab + mark));

/* Nothing waits any more that the next page would have to know of. */
export const clear = () => attempt(() => sessionStorage.removeItem(KEY));

/* Waits until the last page has left what it leaves. */
export async function settled() {
  const until = now() + OVERLAP;
  while (overlaps && now() < until) {
    await pause(20);
    overlaps = attempt(() => sessionStorage.getItem(KEY) || tab) !== tab;
  }
  note("+");
}
