/*
 * What the tag takes of JavaScript, once and first of all, before the page changes any of it. Syntax, such as {}, for…of and
 * async functions, always gives JavaScript's own.
 */

export const { defineProperty, setPrototypeOf } = {}.constructor;
const { hasOwnProperty } = {};
export const { isArray } = [].constructor;
export const { Date, setTimeout, clearTimeout } = globalThis;
export const { parse, stringify } = JSON;
export const Promise = (async () => {})().constructor;

const clock = Date.now;
const { getTime } = Date.prototype;

/* An object's own keys, without what pages hang on Object.prototype. */
export function keys(object) {
  const found = [];
  for (const key in object) if (hasOwnProperty.call(object, key)) found.push(key);
  return found;
}

/* Throws for what is no Date. */
export const milliseconds = (date) => getTime.call(date);

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
