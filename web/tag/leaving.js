/* Leaving a page before Python is live, and coming back to it. */

import { limits, source } from "./attributes.js";
import { PREFIX } from "./entries.js";
import { mayBegin, mayFetch, until } from "./gate.js";
import { put, word } from "./left.js";
import { keys, now } from "./natives.js";
import { queue, shared, state } from "./shared.js";
import { tab } from "./tab.js";

// As it was: WebKit takes it away from a window that closes itself, which still has pagehide.
let area;

/* Stores what waits, and `others`, when the page is left, and again for calls that are made after that. */
shared.leave = (others = []) => {
  if (!mayBegin()) return;
  if (!tab.name) tab.enter();
  let { left } = shared;
  try {
    area = localStorage || area;
    if (left?.stored && !area.getItem(left.key)) left = null; // it was taken
  } catch {
    // storage is denied
  }
  left = shared.left = left || { key: `${PREFIX}${now()}-${tab.name}-${word()}`, entries: [] };
  const entries = [...others, ...queue.takeCarried()];
  if (!entries.length) return;
  left.entries.push(...entries);
  try {
    put(area, left.key, left.entries, state.dropped, limits);
    left.stored = true;
  } catch {
    // storage is full or denied: memory has them if the page comes back
  }
};

/* The page is left, or perhaps it is. */
shared.hide = (perhaps) => {
  shared.isLeft = mayFetch() || !perhaps;
  shared.leave();
  if (!perhaps && mayBegin()) tab.note("");
};

/* It is come back to, from the browser's back/forward cache. */
shared.show = () => {
  const { left } = shared;
  shared.isLeft = false;
  shared.left = null;
  watchOut();
  if (mayBegin()) tab.enter();
  if (left?.stored) shared.kept[left.key] = left.entries;
  else if (left) queue.addFirst(left.entries);
  shared.retry?.(); // WebKit gives up what is on its way when a page goes into its cache
};

/* The visitor has agreed, or doesn't any more: then nothing of ours is kept. */
shared.decide = async (isGranted) => {
  if (isGranted) return shared.isLeft && shared.hide();
  shared.left = null;
  shared.kept = {};
  tab.name = "";
  forget(/^fsbridge:/);
  // A script of the page may bring a vendor's SDK, which keeps its identity under the same names.
  await until(() => document.readyState === "complete");
  if (!shared.isGranted && !shared.isNear) forget(source === "rudderanalytics" ? /^rl_/ : /^ajs_/);
};

// Removes what is stored under names like this.
function forget(pattern) {
  try {
    for (const area of [localStorage, sessionStorage])
      for (const key of keys(area)) if (pattern.test(key)) area.removeItem(key);
    for (const cookie of document.cookie.split("; ")) {
      const [name] = cookie.split("=");
      // Which domain it is of nobody tells; an empty one is this host alone.
      for (let domain = location.hostname; pattern.test(name); domain = domain.replace(/^[^.]*\.?/, "")) {
        document.cookie = `${name}=;max-age=0;path=/;domain=${domain}`;
        if (!domain) break;
      }
    }
  } catch {
    // storage is denied
  }
}

const perhaps = () => shared.hide(true);

// WebKit says nothing else to a page that is closed, or left before it has loaded.
const watchOut = () => addEventListener("beforeunload", perhaps);

/* Nothing waits any more. The listener might keep the page out of the back/forward cache. */
shared.relax = () => removeEventListener("beforeunload", perhaps);

export function watchLeaving() {
  watchOut();
  addEventListener("pagehide", () => shared.hide());
  addEventListener("pageshow", ({ persisted }) => persisted && shared.show());
}
