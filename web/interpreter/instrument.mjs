/*
 * Makes a MicroPython that notes which of its functions run and which of its data they read, for who decides what goes into
 * the interpreter's first part.
 *
 *   node instrument.mjs OUT MICROPYTHON_WASM
 *
 * Each function sets an exported global, "ran<index>", to 1. What is read of the memory's first FREE bytes is marked in
 * bytes from FREE on, one for each GRAIN bytes read. It takes the place of the first part (split.mjs), to which the second
 * has come already.
 */
import { readFile, writeFile } from "node:fs/promises";

import { FREE, GRAIN, Module } from "./module.mjs";
import { FUNCTIONS, I32, i32, instructions, leb, OP, program, SECTION, signed, sized, text, vector } from "./wasm.mjs";

const PAGE = 65536;
const MEMORY_COPY = [0xfc, 0x0a, 0, 0];
const GRAIN_BITS = Math.log2(GRAIN);

const [out, source] = process.argv.slice(2);
const module = new Module(await readFile(source));
const { bodies, globals } = module;

const types = module.types.length;
const count = module.imports.length + bodies.length;
const [noteRead, noteCopy] = [count, count + 1]; // functions of ours

// Of loads by opcode, from 0x28 on.
const SIZES = [4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4];

const marking = (value) => [
  [...value, ...i32(FREE), 0x49, OP.if, 0x40], // below FREE
  [...value, ...i32(GRAIN_BITS), 0x76, ...i32(1), 0x3a, 0, ...leb(FREE)],
  [OP.end],
];
// (address, offset, more) → address; what is read are the byte there, and so many more: seven at most, no two grains.
const sum = [OP.localGet, 0, OP.localGet, 1, 0x6a];
const last = [...sum, OP.localGet, 2, 0x6a];
const middle = [...sum, OP.localGet, 2, ...i32(1), 0x76, 0x6a];
const read = [0, ...[sum, middle, last].flatMap(marking).flat(), OP.localGet, 0, OP.end];

// (to, from, size), with a local: where it has got to
const copy = [
  [1, 1, I32, OP.localGet, 1, 0x21, 3],
  [0x03, 0x40, OP.localGet, 3, OP.localGet, 1, OP.localGet, 2, 0x6a, 0x49, OP.if, 0x40], // loop while before the end
  marking([OP.localGet, 3]).flat(),
  [OP.localGet, 3, ...i32(1), 0x6a, 0x21, 3, 0x0c, 1, OP.end, OP.end],
  [OP.localGet, 0, OP.localGet, 1, OP.localGet, 2, ...MEMORY_COPY, OP.end],
].flat();

function noting(body, index) {
  const parts = [];
  let done = 0;
  for (const { opcode, start, immediates, end } of instructions(body)) {
    if (!parts.length) {
      parts.push(body.subarray(0, start), i32(1), [OP.globalSet, ...leb(globals.length + index)]);
      done = start;
    }
    const isLoad = opcode >= 0x28 && opcode <= 0x35;
    const isCopy = opcode === 0xfc && body[immediates] === 0x0a;
    if (!isLoad && !isCopy) continue;
    parts.push(body.subarray(done, start));
    if (isCopy) parts.push([OP.call, ...leb(noteCopy)]);
    else {
      const offset = [OP.i32Const, ...signed(module.offsetOf(body, immediates))];
      parts.push(offset, i32(SIZES[opcode - 0x28] - 1), [OP.call, ...leb(noteRead)]);
    }
    done = isCopy ? end : start;
  }
  parts.push(body.subarray(done));
  return sized(parts.flatMap((part) => [...part]));
}

const slots = Math.max(...module.elements.map(({ start, functions }) => start + functions.length));
const arrived = globals.length + bodies.length;
const marks = FREE + FREE / GRAIN;
await writeFile(
  out,
  program([
    ...module.sections,
    [SECTION.types, vector([...module.types, [0x60, 3, I32, I32, I32, 1, I32], [0x60, 3, I32, I32, I32, 0]])],
    [SECTION.functions, vector([...module.functions, types, types + 1].map(leb))],
    [SECTION.memories, vector([[1, ...leb(Math.ceil(marks / PAGE) + 16), ...leb(32768)]])],
    [SECTION.tables, vector([[FUNCTIONS, 1, ...leb(slots + 1), ...leb(slots + 1)]])],
    [
      SECTION.globals,
      vector([
        ...globals,
        ...bodies.map(() => [I32, 1, ...i32(0), OP.end]),
        [I32, 1, ...i32(1), OP.end],
        [I32, 0, ...i32(slots), OP.end],
      ]),
    ],
    [
      SECTION.exports,
      vector([
        ...module.exports,
        ...bodies.map((_, index) => [
          ...text(`ran${module.imports.length + index}`),
          3,
          ...leb(globals.length + index),
        ]),
        [...text("arrived"), 3, ...leb(arrived)],
        [...text("bring"), 3, ...leb(arrived + 1)],
      ]),
    ],
    [SECTION.code, vector([...bodies.map(noting), sized(read), sized(copy)])],
  ]),
);
