/*
 * Makes the memory snapshots of MicroPython with modules of fsbridge imported, for web/micropython.js to restore in a page.
 * Runs in Node.js.
 *
 *   node micropython.mjs FIRST SECOND MICROPYTHON_WASM ROMFS PLACES MODULE...
 *
 * ROMFS is a file system image with the modules compiled, whose code runs where it lies. When each MODULE is imported,
 * FIRST gets what is in use of the modules that somebody has imported; SECOND has those that nobody has. PLACES says where
 * in the image each module lies, its texts and functions: JSON, name → span, texts, functions (fsbridge/build/mpy.py).
 * The description of FIRST (web/snapshots/parts.mjs) has size of the memory; constant, where image and names begin and end
 * in it; pools, what of names is made anew (web/snapshots/names.mjs), for which the first of the spans has to be there;
 * thrower, where a Python object lies that raises when it is measured, and of what measures one, the place in the
 * interpreter's table of functions; objects, what Python holds of JavaScript by number, null where a number is free;
 * programs, the lengths of two modules (web/snapshots/catchers.mjs), which come before the memory.
 */
import { readFile } from "node:fs/promises";

import { catching, host, index, KNOWN } from "../micropython.js";
import { catcher, copier } from "./catchers.mjs";
import { gather, pools } from "./names.mjs";
import { builtIns, changed, contents, refuse, settle, write } from "./parts.mjs";

const HEAP_SIZE = 2 * 1024 * 1024; // bytes, to begin with
const STACK_SIZE = 2048; // words
const GARBAGE = 64 * 1024; // bytes between collections: each looks at all that lives
const BLOCK = 64; // bytes compared at once
const OTHER_NAMES = 4096; // bytes for names that are in no module
const FIRST = 1; // what the collector has of a block with which an object begins
const CLOSE = 16; // bytes between spans that are sent as one

const [out, later, program, archive, places, ...modules] = process.argv.slice(2);
settle(0);
const bindings = watchBind();
const paths = builtIns();

const module = await WebAssembly.compile(await readFile(program));
const invoked = WebAssembly.Module.imports(module).filter(({ name }) => name.startsWith("invoke_"));
const programs = [catcher(invoked.map(({ name }) => name)), copier()];
const { wasm, objects, standing, pyimport } = await host(module, catching(...programs));
const memory = () => new Uint8Array(wasm.memory.buffer);
const fresh = memory().slice();

wasm.__wasm_call_ctors();
const romfs = await readFile(archive);
const placed = JSON.parse(await readFile(places, "utf8"));
const room = OTHER_NAMES + sum(Object.values(placed).flatMap(({ texts }) => texts)); // for names, at most
const at = wasm.malloc(romfs.length + room);
memory().set(romfs, at);
wasm.mp_js_register_romfs(at, romfs.length);
const [stack, heap] = [4 * STACK_SIZE, HEAP_SIZE].map(wasm.malloc); // where Python's will be
[heap, stack].forEach(wasm.free);
wasm.mp_js_init(STACK_SIZE, HEAP_SIZE);
wasm.proxy_c_init();
// From here on nothing is awaited: what Python gave to JavaScript would be freed in between, or not.
modules.forEach((name) => pyimport(name));
const imported = pyimport("sys").modules;
const isImported = (name) => imported[name] !== undefined;
const [here, notYet] = [isImported, (name) => !isImported(name)].map((wanted) =>
  Object.keys(placed)
    .filter(wanted)
    .map((name) => placed[name]),
);
const { id, len } = pyimport("builtins");
const port = imported["fsbridge.runtime.micropython"]; // tests make snapshots without
const thrower = port ? id(port.thrower) : 0;
const measure = port ? new Uint32Array(wasm.memory.buffer)[id(len) / 4 + 1] : 0; // behind its type
const gc = pyimport("gc");
gc.threshold(GARBAGE);
gc.collect();
const allocated = gc.mem_alloc();
[...standing.keys()].forEach(wasm.proxy_c_free_obj); // what Python gave to JavaScript of this process

const whole = memory();
whole.fill(0, wasm.emscripten_stack_get_end(), wasm.emscripten_stack_get_current());
const isFirst = clearFreeMemory();

const all = pools(whole, 0, at + romfs.length + room + HEAP_SIZE);
const made = all.filter(({ addresses }) => addresses >= at);
const names = [at + romfs.length, gather(whole, made, at + romfs.length, isFirst)];
if (names[1] > room) throw new Error("Python's names take more room than there is");

const base = new Uint8Array(whole.length);
base.set(fresh);
base.set(whole.subarray(names[0], names[0] + names[1]), names[0]);
const tables = all.map(({ addresses, count, hashes, lengths, texts = 0 }) => [
  addresses,
  count,
  hashes,
  lengths,
  texts,
]);
index(base, tables);

const [functions, texts] = used();
const follows = notYet.map(({ span: [start, size] }) => [at + start, size]);
await write(later, { spans: distances(follows) }, ...contents(whole, follows));
const others = whole.slice();
for (const { span } of Object.values(placed)) clear(others, span);
const differing = changed(others, BLOCK, base);
const description = {
  programs: programs.map(({ length }) => length),
  size: whole.length,
  constant: [at, names[0] + names[1]],
  pools: tables,
  thrower: [measure, thrower],
  objects: objects.slice(KNOWN).map((value) => (value === undefined ? null : recipe(value))),
  // What is alike stands together, for compression's sake.
  spans: distances([names, ...differing, ...functions, ...texts]),
};
await write(
  out,
  description,
  ...programs,
  ...contents(whole, [names]),
  ...contents(others, differing),
  ...contents(whole, [...functions, ...texts]),
);
process.exit();

function sum(spans) {
  return spans.reduce((total, [, size]) => total + size, 0);
}

// How far each span is from the end of the one before.
function distances(spans) {
  return spans.map(([start, size], index) => [start - (index && sum([spans[index - 1]]) + spans[index - 1][0]), size]);
}

function clear(bytes, [start, size]) {
  bytes.fill(0, at + start, at + start + size);
}

/*
 * Where the functions and the texts of imported modules are that something in memory points to; the rest of those modules
 * is cleared. An import has done with its own code and with names that were known already.
 */
function used() {
  const units = here.flatMap(({ functions, texts }) => [
    ...functions.map(([_path, start, size]) => ({ start: at + start, size, kind: 0 })),
    ...texts.map(([start, size]) => ({ start: at + start, size, kind: 1 })),
  ]);
  const owners = new Map(
    units.flatMap((unit) => Array.from({ length: unit.size }, (_, more) => [unit.start + more, unit])),
  );
  const words = new Uint32Array(whole.buffer);
  const isInImage = (index) => index >= at / 4 && index < (at + romfs.length) / 4;
  const kept = new Set();
  words.forEach((word, index) => {
    if (word >= at && word < at + romfs.length && !isInImage(index) && owners.has(word)) kept.add(owners.get(word));
  });
  const copy = whole.slice();
  for (const { span } of here) clear(whole, span);
  const spans = [[], []];
  for (const unit of units.filter((unit) => kept.has(unit))) {
    const { start, size, kind } = unit;
    whole.set(copy.subarray(start, start + size), start);
    const last = spans[kind].at(-1);
    if (last && start >= last[0] && start - (last[0] + last[1]) < CLOSE) last[1] = start + size - last[0];
    else spans[kind].push([start, size]);
  }
  return spans;
}

// What was freed still holds what was there. Python's heap is as its collector lays it out (MicroPython's py/gc.c): two bits
// for each block of 16 bytes, one each for finalisers and weak references, the blocks.
// Gives a function that tells whether an object begins at an address.
function clearFreeMemory() {
  const size = 16;
  const end = heap + HEAP_SIZE - ((heap + HEAP_SIZE) % size);
  const table = Math.floor(((end - heap - 1) * 8) / (8 + 4 + 4 + 8 * 4 * size));
  const blocks = end - table * 4 * size;
  const kind = (block) => (whole[heap + (block >> 2)] >> (2 * (block & 3))) & 3;
  const free = Array.from({ length: table * 4 }, (_, block) => block).filter((block) => !kind(block));
  const taken = (table * 4 - free.length) * size;
  if (taken !== allocated)
    throw new Error(`Python's heap has ${allocated} bytes, not ${taken}: it is laid out otherwise`);
  for (const block of free) whole.fill(0, blocks + block * size, blocks + (block + 1) * size);
  return (address) => address >= blocks && address % size === 0 && kind((address - blocks) / size) === FIRST;
}

// How the page makes one of Python's JavaScript values.
function recipe(value) {
  if (paths.has(value)) return { path: paths.get(value) };
  if (Array.isArray(value)) return { items: value.map(recipe) };
  if (bindings.has(value)) return { bound: bindings.get(value).map(recipe) };
  return refuse(value);
}

// Of each bound function from now on: what was bound to what.
function watchBind() {
  const { bind } = Function.prototype;
  const found = new Map();
  Function.prototype.bind = function (...given) {
    const result = Reflect.apply(bind, this, given);
    found.set(result, [this, ...given]);
    return result;
  };
  return found;
}
