/* The page's calls go over to Python: those that wait all at once, and from then on each as it is made. */

import { now } from "../own.js";
import { CALL } from "../tag/entries.js";
import { note } from "./beside.js";
import { inspect } from "./inspecting.js";
import { tag } from "./tag.js";

/* When the first call was made of those that Python has had, an earlier page's perhaps. */
export const performed = { since: now() };

/* Python's functions, as fsbridge/browser/tag.py says, once it is there. They don't throw. */
export let python = null;

export function accept(functions) {
  python = functions;
  tag.api = python.api;
  tag.global = python.global;
  tag.namespace = python.namespace;
  tag.call = call;
  tag.deliver = python.take;
  tag.drain = drain;
  tag.state.report = python.report;
  tag.state.inspect = inspect;
}

const performing = []; // entries that Python has just now
let isWaiting = false; // in the middle of one of them, for a file
let isGivenUp = false; // they wait for the next page

// Has Python perform entries, and gives its result, and those that it couldn't do.
function perform(entries, action) {
  const { length } = performing;
  performing.push(...entries);
  const result = action();
  performing.length = length;
  if (tag.isLeft && python) tag.leave(); // what it has made meanwhile
  return [result, python ? [] : entries.filter(isUndone)];
}

const isUndone = ({ done }) => !done && !isGivenUp;

/* Has Python wait for a file. Firefox may let a page be left in the middle of that: then Python doesn't go on. */
export function waitFor(file) {
  isWaiting = true;
  try {
    file();
  } finally {
    isWaiting = false;
  }
  if (isGivenUp) throw new Error("the page was left in the middle of a call");
}

/* The page is left, for good: what Python waits in the middle of, and what comes after, is the next page's. */
export function giveUp() {
  if (!isWaiting) return;
  tag.queue.addFirst(performing.filter(isUndone).map((entry) => ({ moment: tag.moment(), ...entry })));
  isGivenUp = true;
}

function call(method, args) {
  note(method, args);
  const [result, [undone]] = perform([{ kind: CALL, method, args }], () => python.call(method, args));
  return undone ? tag.take(method, args) : result;
}

/* Lets calls through, those that wait first; whether they go. */
export function open() {
  offer();
  if (tag.state.status === "loading" && !tag.isBeside) tag.state.status = "queueing";
  tag.isOpen = true;
  drain();
  return tag.isOpen;
}

/* The interpreter can't go on, perhaps in the middle of a call: that one and all others wait for the next page. */
export function end(error) {
  if (!tag) return; // the start fails, and says it
  python = null;
  tag.isOpen = false;
  tag.state.report = () => tag.say(tag.state.status);
  tag.refuse(error);
}

/* Hands over what waits: what sets up the page among it counts for the rest, too. */
export function drain() {
  if (!tag.isOpen) return;
  const entries = tag.queue.takeAll().map(ofItsPage);
  for (const { kind, method, args, carried } of entries) if (kind === CALL && !carried) note(method, args);
  for (const { moment } of entries) if (moment.time < performed.since) performed.since = moment.time;
  const [results, undone] = perform(entries, () => python.replay(entries, !tag.isBeside));
  if (undone.length) {
    tag.queue.addFirst(undone);
    if (tag.isLeft) tag.leave();
  }
  entries.forEach(({ resolve }, index) => resolve?.(results[index]));
}

// A call that Segment's newer snippets have buffered: its last argument is the page where it was made.
function ofItsPage(entry) {
  const args = entry.args.slice();
  try {
    const context = args.pop();
    if (entry.kind !== CALL || context?.__t !== "bpc") return entry;
    const { u: url, t: title, r: referrer, c: canonical } = context;
    return { ...entry, args, moment: { ...entry.moment, url, title, referrer, canonical: canonical || null } };
  } catch {
    return entry; // a page's object that throws
  }
}

/* What Python still holds, such as calls that a slow middleware keeps waiting, as entries. */
export const takeBack = () => (python && !performing.length ? [...python.handBack()] : []);

/* Whether Python takes calls. */
export const isReady = () => tag.isOpen && !isWaiting;

// The methods whose results pages use.
function offer() {
  const object = tag.objects[python.api];
  if (!object || tag.give) return;
  for (const method of python.answering) {
    try {
      if (!(method in object))
        object[method] = (...args) => (python ? python.call(method, args) : tag.take(method, args));
    } catch {
      // the page has frozen it
    }
  }
}
