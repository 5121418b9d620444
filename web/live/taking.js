/* Taking what pages have left behind. */

import { now, Promise } from "../own.js";
import { PREFIX, TAB } from "../tag/entries.js";
import { isThere } from "./fullstory.js";
import { itemKeys, orphans, takeItem } from "./items.js";
import { merged } from "./merging.js";
import { tag } from "./tag.js";

const GRACE = 2000; // milliseconds that an item waits for its heir before other tabs take it
const OVERLAP = 300; // milliseconds that a page may run on when the next one has begun

let sweeps = 0; // how many have been planned: the last one counts

/*
 * Takes what this tab's last pages left behind into the queue. To a page from the back/forward cache it is all: Firefox may
 * show it the sessionStorage of when it was left, with another name of the tab. What other tabs have left waits for a page
 * that has FullStory: left behind once more it would be lost to its own tab's next page.
 */
export async function inherit(isBack) {
  await hidden();
  const keys = () => itemKeys(localStorage, isBack ? "" : tag.tab.name);
  try {
    if (keys().length) await takeAll(keys);
  } catch {
    // storage is denied
  }
}

// Waits until the last page has left what it leaves.
async function hidden() {
  if (!tag.tab.name) tag.tab.enter();
  const until = now() + OVERLAP;
  while (tag.tab.overlaps && now() < until) {
    await tag.pause(20);
    tag.tab.overlaps = noted() !== tag.tab.name;
  }
  tag.tab.note("+");
}

// What the tab's pages have noted last (web/tag/tab.js); nothing keeps us waiting where storage is denied.
function noted() {
  try {
    return sessionStorage.getItem(TAB) || tag.tab.name;
  } catch {
    return tag.tab.name;
  }
}

// Takes items' entries into the queue; not in two tabs at once. The lock is held a little longer than it takes, until
// other processes see what was removed.
function takeAll(keys) {
  return new Promise((resolve) => {
    const act = () => {
      try {
        if (!tag.isLeft && tag.isGranted) {
          const entries = keys().map(take);
          tag.queue.addFirst(merged(tag.queue.takeAll(), entries));
        }
      } catch (error) {
        tag.say(error);
      }
      resolve();
      return tag.pause(50);
    };
    if (navigator.locks) navigator.locks.request(PREFIX, act).catch(act);
    else act();
  });
}

// How old entries may be, in milliseconds.
function age() {
  const { queueMinutes } = tag.data;
  return (queueMinutes > 0 ? queueMinutes : 30) * 60_000;
}

// An item's entries, for whoever comes first: as they were made, where this page has left them itself.
function take(key) {
  const { [key]: kept, ...others } = tag.kept;
  const isOurs = kept && itemKeys(localStorage).includes(key);
  const { dropped, entries } = takeItem(localStorage, key, age());
  tag.kept = others;
  if (isOurs) return kept;
  tag.state.dropped += dropped;
  return entries;
}

/* What tabs without a next page left behind, a closed popup for instance, goes through a page that has FullStory. */
export function sweep(open) {
  try {
    const keys = orphans(localStorage, GRACE);
    if (tag.isOpen && isThere() && keys.length) takeAll(() => keys).then(open);
  } catch {
    // storage is denied
  }
}

/* Sweeps as long as there is something. */
export async function sweepLater(open) {
  const planned = ++sweeps;
  await tag.pause(GRACE);
  if (planned !== sweeps) return;
  try {
    if (!itemKeys(localStorage).length) return;
  } catch {
    return; // storage is denied
  }
  sweepLater(open);
  sweep(open);
}

/* Sweeps when another tab leaves something. */
export function listen(open) {
  addEventListener("storage", ({ key, newValue }) => {
    if (newValue && `${key}`.startsWith(PREFIX)) sweepLater(open);
  });
}
