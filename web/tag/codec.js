/*
 * From page to page, values go as JSON, which web/live/codec.js reads. In that an array begins with "a"; what JSON can't hold is an array that begins
 * otherwise. What pages have hung on Object.prototype and Array.prototype, a toJSON for instance, is left aside.
 */

import { attempt, isArray, keys, milliseconds, setPrototypeOf, stringify } from "./natives.js";

const OBJECTS = {}.constructor.prototype;

/* Text of a value. Throws where it goes round in circles, or throws when it is read. */
export const toText = (value) => stringify(encode(value, ""));

function encode(value, key) {
  const type = typeof value;
  if (type === "number") {
    const isPlain = value - value === 0 && 1 / value > -1 / 0; // neither NaN nor infinite, and not -0
    return isPlain ? value : coded("n", value === 0 ? "-0" : `${value}`);
  }
  if (type === "bigint") return coded("b", `${value}`);
  if (/^(u|f|sy)/.test(type)) return coded("u"); // undefined, functions, symbols
  if (!value || type !== "object") return value;
  if (isArray(value)) {
    const result = coded("a");
    for (let index = 0; index < value.length; index++) result[index + 1] = encode(value[index], index);
    return result;
  }
  const date = attempt(() => milliseconds(value)); // of this window or another
  if (date !== undefined) return coded("d", encode(date));
  if (typeof value.toJSON === "function" && value.toJSON !== OBJECTS.toJSON) return encode(value.toJSON(`${key}`), key);
  const result = { __proto__: null };
  for (const each of keys(value)) result[each] = encode(value[each], each);
  return result;
}

// An array that inherits nothing.
function coded(...items) {
  setPrototypeOf(items, null);
  return items;
}
