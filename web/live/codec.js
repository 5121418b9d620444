/* Reads what web/tag/codec.js writes. */

import { own } from "../own.js";

const isArray = own("Array", "isArray");
const keys = own("Object", "keys");
const Date = own("Date");

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
