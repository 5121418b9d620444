/* Leaving a page, coming back to it, and taking what others have left behind. */

import { limits } from "./attributes.js";
import { isOpen, setOpen, takeBack } from "./bridge.js";
import { entryOf, isLive, isVisitors, takeWaiting } from "./fullstory.js";
import { LeftBehind, PREFIX } from "./left.js";
import { clearTimeout, now, Promise, setTimeout } from "./natives.js";
import { say } from "./say.js";
import { state } from "./state.js";
import { clear, enter, note, settled, tab } from "./tab.js";
import { queue } from "./waiting.js";

const GRACE = 2000; // milliseconds that an item waits for its heir before other tabs take it

const items = new LeftBehind(() => localStorage, limits);
/* Whether the page is being left, or has been. */
export let isLeft = false;
let arrived = now();
const lost = []; // operations that FullStory didn't get because fs.js is blocked, as entries
let left = null; // what this page leaves behind: key, entries, stored
let kept = null; // the same of when it was last left, to come back to
let isSettled = false;
let sweeping = 0;

/* `open()` lets calls through again when the page is come back to. */
export function watch(open) {
  addEventListener("storage", ({ key, newValue }) => {
    if (newValue && `${key}`.startsWith(PREFIX)) sweepLater(open);
  });
  addEventListener("pagehide", hide);
  addEventListener("pageshow", async ({ persisted }) => {
    if (!persisted) return;
    comeBack();
    await inherit();
    open();
  });
}

/* What browsers take milliseconds for at the first time. */
export function prepare() {
  if (!tab) enter();
  try {
    items.keys();
    document.cookie;
  } catch {
    // storage is denied
  }
}

/* An operation that FullStory won't get. */
export function lose(...operation) {
  if (!isVisitors(operation)) return;
  lost.push(entryOf(operation, arrived));
  if (lost.length <= limits.calls) return;
  lost.shift();
  state.dropped++;
}

/* What was lost, for a late fs.js. */
export const takeLost = () => lost.splice(0);

/* Calls go through, or fs.js has come: perhaps nothing waits any more. */
export function settle() {
  isSettled = isOpen && isLive();
  if (isSettled) clear();
}

/* Takes what this tab's last pages left behind into the queue. */
export async function inherit() {
  await settled();
  try {
    if (items.keys(tab).length) await takeAll(() => items.keys(tab));
  } catch {
    // storage is denied
  }
}

/* Stores what FullStory hasn't got: when the page is left, and again for calls that are made after that. */
export function leave() {
  left = left || { key: items.name(tab), entries: [] };
  const { entries } = left;
  entries.push(...takeLost(), ...takeWaiting(arrived), ...takeBack(), ...queue.takeCarried());
  if (!entries.length) return;
  try {
    items.put(left.key, entries, state.dropped);
    left.stored = true;
  } catch {
    // storage is full or denied: memory has them if the page comes back
  }
}

function hide() {
  if (!tab) enter();
  const isThrough = isLive() && isOpen;
  isLeft = true;
  setOpen(false);
  leave();
  const { length } = left.entries;
  if (length || !isSettled) note("");
  if (length || !isThrough) return;
  isLeft = false; // FullStory takes calls to the last moment
  setOpen(true);
}

// From the browser's back/forward cache.
function comeBack() {
  isSettled = isLeft = false;
  enter();
  arrived = now();
  setOpen(false);
  if (left && !left.stored) queue.mergeIn([left.entries]);
  kept = left;
  left = null;
}

// An item's entries, for whoever comes first.
function take(key) {
  const isOurs = kept?.key === key && items.keys().includes(key);
  const { dropped, entries } = items.take(key);
  if (isOurs) return kept.entries;
  state.dropped += dropped;
  return entries;
}

// Takes items' entries into the queue; not in two tabs at once. The lock is held a little longer than it takes, until
// other processes see what was removed.
function takeAll(keys) {
  return new Promise((resolve) => {
    const act = () => {
      try {
        if (!isLeft) queue.mergeIn(keys().map(take));
      } catch (error) {
        say(error);
      }
      resolve();
      return new Promise((release) => setTimeout(release, 50));
    };
    if (navigator.locks) navigator.locks.request(PREFIX, act).catch(act);
    else act();
  });
}

/* What tabs without a next page left behind, a closed popup for instance, goes through a page that has FullStory. */
export function sweepLater(open) {
  clearTimeout(sweeping);
  sweeping = setTimeout(() => {
    try {
      if (!items.keys().length) return;
      sweepLater(open);
      const orphans = items.orphans(GRACE);
      if (isOpen && isLive() && orphans.length) takeAll(() => orphans).then(open);
    } catch {
      // storage is denied
    }
  }, GRACE);
}
