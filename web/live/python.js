/* Between the tag and Python, whichever interpreter runs it: what Python needs of JavaScript, and calls with care. */

import { own } from "../own.js";
import { CALL } from "../tag/entries.js";

const apply = own("Reflect", "apply");

/*
 * Starts fsbridge/browser/tag.py, which says what `config` is, with what it needs of JavaScript. What config.accept gets
 * never throws.
 */
export function begin(python, config) {
  const { say } = config;
  python.pyimport("fsbridge.browser.tag").start({
    ...config,
    cookies,
    guard,
    method,
    accept({ call, replay, take, ...others }) {
      const offered = others.methods.concat(others.answering);
      const isOffered = ({ kind, method, carried }) => {
        if (carried || kind !== CALL || offered.includes(method)) return true;
        say(`${others.global} has no method ${method}`);
      };
      config.accept({
        call: (name, args) => attempt(say, () => call(name, args)),
        replay: (entries, starts) =>
          performed(entries.filter(isOffered), entries, (taken) => replay(taken, starts), say),
        take: (message, ...given) => attempt(say, () => take(message, ...given)),
        ...others,
      });
    },
  });
}

// What each entry gives, undefined where it can't be taken. What goes wrong costs the entry where it does, and no other.
function performed(offered, entries, replay, say) {
  let left = offered;
  let failures = 0; // in a row, of which no entry is the cause
  for (;;) {
    try {
      const results = replay(left);
      return entries.map((entry) => results?.[left.indexOf(entry)]); // none, where Python can't go on
    } catch (error) {
      say(error);
    }
    const { length } = left;
    left = left.filter(({ begun }) => !begun);
    failures = left.length < length ? 0 : failures + 1;
    if (failures > 1) break;
  }
  return entries.map(() => undefined);
}

// What goes wrong is ours, never the page's: it gets a promise of nothing.
function attempt(say, action) {
  try {
    return action();
  } catch (error) {
    say(error);
    return (async () => {})();
  }
}

/* What somebody has thrown, as a text. */
export function messageOf(error) {
  try {
    return `${error?.message || error || "a JavaScript error"}`;
  } catch {
    return "a JavaScript error"; // it throws itself
  }
}

// f.apply(self, args) for Python: the result, or this function with a message where that throws.
export function guard(f, self, ...args) {
  try {
    return apply(f, self, args);
  } catch (error) {
    guard.message = messageOf(error);
    return guard;
  }
}

// An ordinary function around one of Python's, which gets `this` and the arguments in an array.
const method = (body) =>
  function (...args) {
    return body(this, args);
  };

let jar; // all cookies, as long as they are known

// document.cookie, or sets one. It is read once for all that code does at one go, for that takes longer than the rest of
// a call.
function cookies(line) {
  if (line) document.cookie = line;
  else if (jar === undefined) forgetSoon();
  return (jar = line ? undefined : (jar ?? document.cookie));
}

async function forgetSoon() {
  await undefined;
  jar = undefined;
}
