/*
 * What snapshots of both interpreters are made of. A file, before it is compressed:
 *
 *   4 bytes     length n of the description (little-endian)
 *   n bytes     the description, JSON, with `spans` (pairs of address and length; MicroPython's of distance and length)
 *   the rest    what is in memory at the spans; before it what else the maker has
 *
 * The same inputs give the same bytes: while it runs, random bytes are constant and the clock stands.
 */
import { writeFile } from "node:fs/promises";

// Makes everything random, and every clock, depend on the number alone.
export function settle(number) {
  process.env.TZ = "UTC";
  crypto.getRandomValues = (array) => array.fill(number);
  Date.now = () => Date.UTC(2000 + number);
  performance.now = () => number;
}

// Where every JavaScript engine has its own built-in objects: object → path from the global one.
export function builtIns() {
  const names =
    "Object Array Function Reflect Promise String Number BigInt Boolean Symbol JSON Date Proxy Error Math Map Set WeakMap " +
    "encodeURIComponent decodeURIComponent escape unescape atob btoa";
  const paths = new Map([[globalThis, []]]);
  const visit = (value, path) => {
    if (!value || !["object", "function"].includes(typeof value) || paths.has(value)) return;
    paths.set(value, path);
    if (path.length > 2) return;
    for (const [key, { value: inner }] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
      visit(inner, [...path, key]);
    }
  };
  names.split(" ").forEach((name) => visit(globalThis[name], [name]));
  return paths;
}

export function refuse(value) {
  throw new Error(`a module of fsbridge holds ${value} when it is imported, which a snapshot can't keep`);
}

// The spans of memory, whole blocks of so many bytes, that differ from what is there anyway: others of the same size.
export function changed(memory, block, ...others) {
  const spans = [];
  for (let start = 0; start < memory.length; start += block) {
    const [found, ...bases] = [memory, ...others].map((of) => Buffer.from(of.buffer, of.byteOffset + start, block));
    if (bases.every((base) => found.equals(base))) continue;
    const last = spans.at(-1);
    if (last && last[0] + last[1] === start) last[1] += block;
    else spans.push([start, block]);
  }
  return spans;
}

/* What is in memory at these spans. */
export const contents = (memory, spans) => spans.map(([start, size]) => memory.subarray(start, start + size));

export async function write(out, description, ...parts) {
  const text = Buffer.from(JSON.stringify(description));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  await writeFile(out, Buffer.concat([length, text, ...parts]));
}
