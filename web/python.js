/* Between the tag and Python, whichever interpreter runs it: what Python needs of JavaScript, and calls with care. */

import { own } from "./own.js";

const apply = own("Reflect", "apply");
const isArray = own("Array", "isArray");
const keys = own("Object", "keys");
const Set = own("Set");
const { toString } = {};

/*
 * Starts fsbridge/browser/tag.py, which says what `config` is, with what it needs of JavaScript. What config.accept gets
 * never throws.
 */
export function start(python, config) {
  python.pyimport("fsbridge.browser.tag").start({
    ...config,
    cookies,
    guard,
    method,
    accept({ call, replay, ...others }) {
      config.accept({
        call: (name, args) => attempt(config.say, () => isHarmless(args) && call(name, args)),
        replay: (entries) => performed(entries, replay, config.say),
        ...others,
      });
    },
  });
}

// What each entry gives, undefined where it can't be taken.
function performed(entries, replay, say) {
  const taken = entries.filter(({ args }) => attempt(say, () => isHarmless(args)) === true);
  const results = attempt(say, () => replay(taken));
  return entries.map((entry) => results?.[taken.indexOf(entry)]);
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

// True. Throws where a value does so when merely touched, as a revoked Proxy does: a JavaScript exception in the middle of
// Python would harm MicroPython for good. Getters may throw, those are read with care.
function isHarmless(args) {
  const seen = new Set();
  const waiting = [args];
  while (waiting.length) {
    const value = waiting.pop();
    if (!value || !/^(object|function)$/.test(typeof value) || seen.has(value)) continue;
    seen.add(value);
    if (apply(toString, value, []) !== "[object Object]" && !isArray(value)) continue;
    for (const key of keys(value)) {
      try {
        waiting.push(value[key]);
      } catch {
        // a getter
      }
    }
  }
  return true;
}

// f.apply(self, args) for Python: the result, or this function with a message where that throws.
function guard(f, self, ...args) {
  try {
    return apply(f, self, args);
  } catch (error) {
    guard.message = `${error?.message || error || "a JavaScript error"}`;
    return guard;
  }
}

// An ordinary function around one of Python's, which gets `this` and the arguments in an array. Where it `trusts` them
// nothing is touched.
const method = (body, trusts) =>
  function (...args) {
    try {
      trusts || isHarmless([this, args]);
    } catch (error) {
      console.error(`[fsbridge] ${error?.message || error}`);
      return undefined;
    }
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
