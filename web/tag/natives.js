/*
 * What the tag takes of JavaScript, once and first of all, before the page changes any of it. Syntax, such as {}, for…of and
 * async functions, always gives JavaScript's own.
 */

const { call } = () => {};
const uncurried = call.bind.bind(call); // uncurried(f)(self, …args) is f.call(self, …args)

export const { keys, defineProperty, setPrototypeOf } = {}.constructor;
export const { isArray } = [].constructor;
export const { Date, setTimeout, clearTimeout } = globalThis;
export const { parse, stringify } = JSON;
export const Promise = (async () => {})().constructor;
export const milliseconds = uncurried(Date.prototype.getTime); // throws for what is no Date

const clock = Date.now;

/* Milliseconds since 1970, as a number even where the page's clock gives a Date. */
export const now = () => +clock();

/* Sets a property, if it can be set. */
export function assign(object, name, value) {
  try {
    object[name] = value;
  } catch {
    // it is read-only
  }
}

/* Acts when all that runs now has run. */
export async function soon(action) {
  await null;
  action();
}

/* Between the steps of the start the page may do what it has to. */
export const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
