/*
 * What the tag shares with web/live, which comes with the interpreter and then takes over: it sets `call`, and replaces
 * `drain`, `sent`, `meet`, `deliver`, and what leaving.js sets, `leave`, `hide`, `show` and `decide`. From leaving.js it also
 * has `relax`, from main.js `take` and `boot`, from interpreters.js `built`, from gate.js `isGranted`, consent, and `load`: the
 * arguments of the page's.
 */

import { data, given, limits, source } from "./attributes.js";
import { Promise, pause } from "./natives.js";
import { moment, place } from "./page.js";
import { makeQueue } from "./queue.js";
import { say } from "./say.js";
import { tab } from "./tab.js";

// Not there at first: `isOpen`, true where calls go through at once, to call(method, args); `isLeft`, where the page is being
// left, or has been; `give(method, args)`, which performs a call where our stand-in has given way to a vendor's SDK;
// `retry()`, which starts again where the interpreter didn't come; `left`, what the page leaves behind: key, entries, stored;
// `isNear`, true where a vendor's SDK, its snippet or its code is on the page; `awaitsSdk`, where Python is there and the SDK
// isn't, or has switched us off.

let settle;

/* window.fsbridge: what the tag tells the page of itself. */
export const state = { version: FACTS.version, status: "loading", dropped: 0 };
state.ready = new Promise((...both) => (settle = both));
state.ready.catch(() => {});
state.report = () => say(state.status);

/* The page's one queue. */
export const queue = makeQueue(limits.calls, () => state.dropped++);

export const shared = {
  data,
  given,
  source,
  limits,
  state,
  queue,
  place,
  moment,
  pause,
  say,
  tab,
  objects: {}, // what the page calls, by the API's name
  drain() {}, // follows calls that came in bulk
  sdks: [], // instances of a vendor's SDK that have us
  sent: () => [], // calls that FullStory has, for a vendor's SDK that comes late
  /* A vendor's SDK has set us up. */
  meet(sdk) {
    const { sdks } = shared;
    if (sdks.includes(sdk)) return;
    sdks.push(sdk);
    shared.boot();
  },
  kept: {}, // entries that are stored and that this page, come back to, still has, by the item's key
  /* Calls go through. */
  succeed: () => settle[0](state),
  /* They never will. The queue is kept, for the next page. */
  refuse(error) {
    say(error);
    queue.release();
    state.status = "failed";
    settle[1](error instanceof Error ? error : new Error(error));
  },
};
