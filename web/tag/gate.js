/*
 * Whether we may start. Three things are waited for: the visitor's consent, where data-consent or the page asks for it; the
 * page's own load, where it works that way; and to know whether it does, for a vendor's snippet may follow the tag.
 */

import { data } from "./attributes.js";
import { Promise, soon } from "./natives.js";
import { queue, shared, state } from "./shared.js";

// With data-gpc the browser's signal outranks all that is said in the page.
const isDenied = "gpc" in data && navigator.globalPrivacyControl;
let awaitsLoad = "load" in data;
let isCalled = false; // the page has called anything: one with a snippet would have had that before
const waiting = []; // who waits for a change

shared.isGranted = isDenied ? false : !("consent" in data) || undefined; // undefined: nobody has said yet

const isOpen = () => shared.isGranted && !awaitsLoad;

/* Whether it is known if a vendor's snippet follows. */
export const isParsed = () => isCalled || document.readyState !== "loading";

/* Whether our files may be asked for: what is in the document's head is known. */
export const mayFetch = () => isOpen() && (isParsed() || document.body);

/* Whether anything may be stored, and FullStory begin: the whole document is known. */
export const mayBegin = () => isOpen() && isParsed();

/* Waits until one of the two says yes. */
export async function until(condition) {
  while (!condition()) await new Promise((resolve) => waiting.push(resolve));
}

// Looks again. Once Python is there the status is its business.
function check() {
  for (const resolve of waiting.splice(0)) resolve();
  if (!/^(wait|load)/.test(state.status)) return;
  state.status = isOpen() && !shared.awaitsSdk ? "loading" : "waiting";
  if (shared.isLeft) shared.leave();
}

/* The page has called a method; whoever did that may turn out to be a snippet. */
export function note(method, args) {
  if (method === "load") {
    shared.load = shared.load || args;
    awaitsLoad = false;
  } else if (isCalled) return;
  soon(() => {
    isCalled = true;
    check();
  });
}

/* The page works with a vendor's snippet. */
export function awaitLoad() {
  awaitsLoad = !shared.load;
  check();
}

/* The visitor agrees, or doesn't any more. */
state.consent = (given) => {
  const before = shared.isGranted;
  shared.isGranted = !!given && !isDenied;
  if (shared.isGranted === before) return;
  if (!shared.isGranted) for (const { resolve } of queue.takeCarried()) drop(resolve);
  shared.decide(shared.isGranted);
  check();
};

/* Counts a call that the visitor doesn't want. */
export function drop(resolve) {
  state.dropped++;
  resolve?.();
}

export function watch() {
  check();
  addEventListener("readystatechange", check, true);
  new MutationObserver(check).observe(document.documentElement, { childList: true });
}
