/*
 * From page to page, values go as JSON. In that an array begins with "a"; what JSON can't hold is an array that begins
 * otherwise. What pages have hung on Object.prototype and Array.prototype, a toJSON for instance, is left aside.
 */

import { Date, isArray, keys, milliseconds, setPrototypeOf, stringify } from "./natives.js";

const OBJECTS = {}.constructor.prototype;

/* Text of a value. Throws where it goes round in circles, or throws when it is read. */
export const toText = (value) => stringify(encode(value, ""));

function encode(value, key) {
  const type = typeof value;
  if (type === "number") return isPlain(value) ? value : coded("n", 1 / value < 0 && !value ? "-0" : `${value}`);
  if (type === "bigint") return coded("b", `${value}`);
  if (type === "undefined" || type === "function" || type === "symbol") return coded("u");
  if (!value || type !== "object") return value;
  if (isArray(value)) {
    const result = coded("a");
    for (let index = 0; index < value.length; index++) result[index + 1] = encode(value[index], index);
    return result;
  }
  const date = time(value);
  if (date !== undefined) return coded("d", encode(date));
  if (typeof value.toJSON === "function" && value.toJSON !== OBJECTS.toJSON) return encode(value.toJSON(`${key}`), key);
  const result = { __proto__: null };
  for (const each of keys(value)) result[each] = encode(value[each], each);
  return result;
}

// Whether JSON can hold a number.
const isPlain = (number) => number - number === 0 && (number !== 0 || 1 / number > 0);

// An array that inherits nothing.
function coded(...items) {
  setPrototypeOf(items, null);
  return items;
}

// A Date's, of this window or another.
function time(value) {
  try {
    return milliseconds(value);
  } catch {
    return undefined; // no Date
  }
}

/* The value, of what JSON.parse gives for its text, which is changed. */
export function decode(value) {
  if (!value || typeof value !== "object") return value;
  if (!isArray(value)) {
    for (const key of keys(value)) value[key] = decode(value[key]);
    return value;
  }
  const [type, content] = value;
  if (type === "a") return value.slice(1).map(decode);
  if (type === "d") return new Date(decode(content));
  return type === "n" ? +content : type === "b" ? BigInt(content) : undefined;
}
