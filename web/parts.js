/*
 * MicroPython's files as they arrive, in good time or at once: whole and of this build, or an error that names the file and
 * what is wrong with it. How a build marks its files says fsbridge/build/stamp.py.
 */

import { Promise } from "./own.js";
import { sum } from "./sum.js";

const FRONT = 16; // bytes before a snapshot's content
const OTHER = "it is of another build than micropython.js";
const DAMAGED = "it is damaged";

/* The module of a response: compiled while it arrives, if the server says what it is. */
export const compiled = (url, coming) =>
  arrival(url, coming, async (response) => {
    const copy = response.clone().arrayBuffer();
    const streams = response.headers.get("Content-Type") === "application/wasm";
    const module = streams
      ? WebAssembly.compileStreaming(response)
      : copy.then((buffer) => WebAssembly.compile(buffer));
    return checked(...(await Promise.all([module, copy])));
  });

/* What `use` makes of a response's snapshot. */
export const opened = (url, coming, use = (found) => found) =>
  arrival(url, coming, async (response) => use(parts(await response.arrayBuffer())));

/* The same while all waits. */
export const compiledNow = (url) => now(url, (content) => checked(new WebAssembly.Module(content), content));
export const openedNow = (url) => now(url, parts);

async function arrival(url, coming, read) {
  try {
    const response = await coming;
    if (!response.ok) throw new Error(response.status);
    refuse(response.headers.get("Content-Type"));
    return await read(response);
  } catch (error) {
    throw new Error(`${url}: ${error.message}`);
  }
}

function now(url, read) {
  try {
    const request = new XMLHttpRequest();
    request.open("GET", url, false);
    request.overrideMimeType("text/plain; charset=x-user-defined"); // bytes as characters
    request.send();
    if (request.status !== 200) throw new Error(request.status);
    refuse(request.getResponseHeader("Content-Type"));
    return read(Uint8Array.from(request.responseText, (character) => character.charCodeAt(0)).buffer);
  } catch (error) {
    throw new Error(`${url}: ${error.message}`);
  }
}

// Pages that say in all politeness that there is nothing.
function refuse(type) {
  if (/html/.test(type)) throw new Error(`it is ${type}`);
}

function checked(module, buffer) {
  const [section] = WebAssembly.Module.customSections(module, "build");
  if (!section || new TextDecoder().decode(section.slice(-12, -4)) !== FACTS.build) throw new Error(OTHER);
  if (sum(buffer)) throw new Error(DAMAGED);
  return module;
}

// A snapshot's (web/snapshots/parts.mjs): its description with `programs` and `contents`, pairs of address and bytes.
function parts(buffer) {
  const front = new Uint8Array(FRONT);
  front.set(new Uint8Array(buffer.slice(0, FRONT)));
  const mark = new TextDecoder().decode(front.subarray(0, 8));
  if (!/^[0-9a-f]{8}$/.test(mark)) throw new Error(`it is no snapshot, it begins with ${JSON.stringify(mark)}`);
  if (mark !== FACTS.build) throw new Error(OTHER);
  const [, , size] = new Int32Array(front.buffer);
  const there = buffer.byteLength - FRONT;
  if (there !== size) throw new Error(`${DAMAGED}, it has ${there} bytes of ${size}`);
  if (sum(buffer)) throw new Error(DAMAGED);

  let at = FRONT + 4;
  const take = (length) => new Uint8Array(buffer, (at += length) - length, length);
  const [length] = new Int32Array(buffer, FRONT, 1);
  const found = JSON.parse(new TextDecoder().decode(take(length)));
  const programs = (found.programs || []).map(take);
  let to = 0;
  const content = ([distance, length]) => {
    to += distance + length;
    return [to - length, take(length)];
  };
  return { ...found, programs, contents: found.spans.map(content) };
}
