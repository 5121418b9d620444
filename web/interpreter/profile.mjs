/*
 * What of MicroPython is needed before anything else: what the recordings' page loads used (profile.json, which
 * `python -m tools.profile` makes).
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

import { Module } from "./module.mjs";

const BLOCK = 256; // bytes that are read together, or not
const SHORTEST = 1024; // bytes without which a span isn't worth leaving out

/*
 * Which functions go into the first part, and which spans of data (pairs of address and size) into the second. Throws where
 * the profile is another interpreter's.
 */
export async function divide(bytes) {
  const profile = JSON.parse(await readFile(new URL("profile.json", import.meta.url), "utf8"));
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== profile.sha256) {
    throw new Error("the profile is of another MicroPython: python -m tools.profile makes a new one");
  }
  const cold = [];
  const isRead = (at) => profile.read.some(([start, size]) => start < at + BLOCK && at < start + size);
  for (const { start, content } of new Module(bytes).data) {
    for (let at = Math.ceil(start / BLOCK) * BLOCK; at + BLOCK <= start + content.length; at += BLOCK) {
      if (isRead(at)) continue;
      const last = cold.at(-1);
      if (last && last[0] + last[1] === at) last[1] += BLOCK;
      else cold.push([at, BLOCK]);
    }
  }
  return { hot: new Set(profile.ran), cold: cold.filter(([, size]) => size >= SHORTEST) };
}
