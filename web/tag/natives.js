/*
 * What the tag takes of JavaScript, once and first of all, before the page changes any of it. Syntax, such as {}, for…of and
 * async functions, always gives JavaScript's own.
 */

const { defineProperty } = {}.constructor;
export const { setPrototypeOf } = {}.constructor;
const { hasOwnProperty } = {};
export const { isArray } = [].constructor;
export const { parse, stringify } = JSON;
export const Promise = (async () => {})().constructor;

const { Date, setTimeout } = globalThis;
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

/* What the action gives; nothing where it throws. */
export function attempt(action) {
  try {
    return action();
  } catch {
    return undefined;
  }
}

/* Sets a property, if it can be set. */
export const assign = (object, name, value) => attempt(() => (object[name] = value));

/* Defines a property by functions, if that can be. */
export const property = (object, name, get, set, enumerable = true) =>
  attempt(() => defineProperty(object, name, { configurable: true, enumerable, get, set }));

/* Acts when all that runs now has run. */
export async function soon(action) {
  await null;
  action();
}

/* Between the steps of the start the page may do what it has to. */
export const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
