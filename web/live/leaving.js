/* Leaving a page where Python is, and coming back to it: web/tag/leaving.js goes on here. */

import { errorsHave, now } from "../own.js";
import { TAB } from "../tag/entries.js";
import { giveUp, isReady, performed, python, takeBack } from "./calls.js";
import { entryOf, isThere, isVisitors, takeWaiting } from "./fullstory.js";
import { tag } from "./tag.js";

const STAY_TIMEOUT = 2000; // milliseconds

// Firefox shows a page from the back/forward cache what sessionStorage had when it was left, and without its tab's name there
// it would go on with another. So there, and only there, the name stays.
const SHOWS_OLD_STORAGE = errorsHave("lineNumber");

let isSettled = false; // whether nothing waits any more
const lost = []; // operations that FullStory didn't get because fs.js is blocked, as entries

/* An operation that FullStory won't get. */
export function lose(...operation) {
  if (!isVisitors(operation)) return;
  lost.push(entryOf(operation, performed.since));
  if (lost.length <= tag.limits.calls) return;
  lost.shift();
  tag.state.dropped++;
}

/* What was lost, for a late fs.js. */
export const takeLost = () => lost.splice(0);

/* Calls go through, or fs.js has come: perhaps nothing waits any more that the next page would have to know of. */
export function settle() {
  isSettled = tag.isOpen && isThere();
  if (!isSettled) return;
  tag.relax();
  if (SHOWS_OLD_STORAGE) return tag.tab.note("");
  try {
    sessionStorage.removeItem(TAB);
  } catch {
    // storage is denied
  }
}

/* Takes over; `resume()` follows when the page is come back to. */
export function watch(resume) {
  const { leave, show } = tag;
  tag.leave = () => leave([...takeLost(), ...takeWaiting(performed.since), ...takeBack()]);
  tag.hide = (perhaps) => {
    const isThrough = isThere() && isReady();
    tag.isLeft = tag.isGranted || !perhaps;
    tag.isOpen = false;
    if (!tag.isGranted) return;
    if (!perhaps) giveUp();
    tag.leave();
    const { length } = tag.left.entries;
    if (!perhaps && (length || !isSettled)) tag.tab.note("");
    if (length || !isThrough) return perhaps && stay();
    tag.isLeft = false; // FullStory takes calls to the last moment
    tag.isOpen = true;
  };
  if (tag.isLeft) stay();
  tag.show = () => {
    isSettled = tag.isOpen = false;
    performed.since = now();
    show();
    if (!isThere()) python?.retry();
    resume();
  };
}

// A page may not be left after all: a download, or a visitor who stops it. Nothing is performed until FullStory is there,
// when nothing can be lost any more, or known not to come.
async function stay() {
  await tag.pause(STAY_TIMEOUT);
  if (!tag.isLeft) return;
  if (isThere() || tag.state.status === "blocked") tag.show();
  else stay();
}
