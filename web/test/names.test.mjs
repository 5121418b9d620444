import assert from "node:assert/strict";
import { test } from "node:test";

import { index } from "../micropython.js";
import { gather, pools } from "../snapshots/names.mjs";

const NAMES = ["get", "put", "länger", "a", "b", "", "Page Opened", "identify", "track", "page"];
const [POOL, TEXTS, PLACE, SIZE] = [64, 512, 1024, 2048];

// A pool with these names, which lie apart, as MicroPython makes it.
function memory(names = NAMES, room = 16) {
  const bytes = new Uint8Array(SIZE);
  const words = new Uint32Array(bytes.buffer);
  const addresses = POOL + 24;
  const [hashes, lengths] = [addresses + 4 * room, addresses + 6 * room];
  words.set([0, 0, room, names.length, hashes, lengths], POOL / 4);
  let at = TEXTS;
  names.forEach((name, number) => {
    const text = Buffer.from(name);
    let hash = 5381;
    for (const byte of text) hash = (Math.imul(hash, 33) ^ byte) >>> 0;
    bytes.set(text, at);
    words[addresses / 4 + number] = at;
    new Uint16Array(bytes.buffer)[hashes / 2 + number] = hash & 0xffff;
    bytes[lengths + number] = text.length;
    at += text.length + 5;
  });
  return { bytes, table: [addresses, names.length, hashes, lengths] };
}

test("a pool is found, and nothing that only looks like one", () => {
  const { bytes, table } = memory();
  const [found, ...others] = pools(bytes, 0, SIZE);
  assert.deepEqual([found.addresses, found.count, found.hashes, found.lengths], table);
  assert.deepEqual(others, []);
  for (const more of [0, 2, 4]) bytes[table[2] + more] ^= 1;
  assert.deepEqual(pools(bytes, 0, SIZE), []);
});

test("the tables are made of the names alone", () => {
  const { bytes, table } = memory();
  const whole = bytes.slice();
  const [, count, hashes, lengths] = table;
  bytes.fill(0, hashes, hashes + 2 * count).fill(0, lengths, lengths + count);
  index(bytes, [[...table, 0]]);
  assert.deepEqual(bytes, whole);
});

test("names that were gathered need no addresses", () => {
  const { bytes, table } = memory();
  const size = gather(bytes, pools(bytes, 0, SIZE), PLACE);
  assert.equal(size, Buffer.from(`${NAMES.join("\0")}\0`).length);
  assert.equal(Buffer.from(bytes.subarray(PLACE, PLACE + size)).toString(), `${NAMES.join("\0")}\0`);
  const whole = bytes.slice();
  const [addresses, count, hashes, lengths] = table;
  bytes.fill(0, addresses, addresses + 4 * count);
  bytes.fill(0, hashes, hashes + 2 * count).fill(0, lengths, lengths + count);
  index(bytes, [[...table, PLACE]]);
  assert.deepEqual(bytes, whole);
});

test("the beginning of the heap's last block of names stays known", () => {
  const { bytes, table } = memory();
  const words = new Uint32Array(bytes.buffer);
  const [third, fifth] = [2, 4].map((number) => words[table[0] / 4 + number]);
  gather(bytes, pools(bytes, 0, SIZE), PLACE, (address) => [third, fifth].includes(address));
  const kept = [...words.subarray(table[0] / 4, table[0] / 4 + NAMES.length)].filter((address) => address < PLACE);
  assert.deepEqual(kept, [fifth]);
});
