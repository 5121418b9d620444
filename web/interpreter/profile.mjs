/*
 * What of MicroPython is needed before anything else: what the recordings' page loads used (profile.json, which
 * `python -m tools.profile` makes).
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

import { pools } from "../snapshots/names.mjs";
import { Module } from "./module.mjs";

const BLOCK = 256; // bytes that are read together, or not
const SHORTEST = 1024; // bytes without which a span isn't worth leaving out

/*
 * Which functions go into the first part, and which spans of data (pairs of address and size) into the second, and which
 * into neither, as snapshots bring them. Throws where the profile is another interpreter's.
 */
export async function divide(bytes) {
  const profile = JSON.parse(await readFile(new URL("profile.json", import.meta.url), "utf8"));
  const digest = createHash("sha256").update(bytes).digest("hex");
  if (digest !== profile.sha256) {
    throw new Error("the profile is of another MicroPython: python -m tools.profile makes a new one");
  }
  const { data } = new Module(bytes);
  const [{ start, content }] = data; // of constants: what is written to can't come later
  const memory = inMemory(data);
  const found = pools(memory, start, start + content.length);
  const texts = found.flatMap(({ names }) => [...names].map((name) => [name, memory.indexOf(0, name) + 1 - name]));
  const read = [...profile.read, ...texts];
  const isRead = (at) => read.some(([start, size]) => start < at + BLOCK && at < start + size);
  const cold = [];
  for (let at = Math.ceil(start / BLOCK) * BLOCK; at + BLOCK <= start + content.length; at += BLOCK) {
    if (isRead(at)) continue;
    const last = cold.at(-1);
    if (last && last[0] + last[1] === at) last[1] += BLOCK;
    else cold.push([at, BLOCK]);
  }
  const made = found.flatMap(({ count, hashes, lengths }) => [
    [hashes, 2 * count],
    [lengths, count],
  ]);
  return { hot: new Set(profile.ran), cold: cold.filter(([, size]) => size >= SHORTEST), made };
}

function inMemory(data) {
  const bytes = new Uint8Array(
    4 * Math.ceil(Math.max(...data.map(({ start, content }) => start + content.length)) / 4),
  );
  for (const { start, content } of data) bytes.set(content, start);
  return bytes;
}
