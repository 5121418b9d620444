/*
 * Makes a memory snapshot of MicroPython with modules of fsbridge imported, for web/micropython.js to restore in a page.
 * Runs in Node.js.
 *
 *   node micropython.mjs OUT MICROPYTHON_WASM ROMFS MODULE...
 *
 * ROMFS is a file system image with the modules compiled; its code runs where it lies, so the snapshot holds all of it.
 * The description (web/snapshots/parts.mjs) has data, so many bytes at the beginning of the memory that tell by their check
 * whose .wasm it is; size of the memory; constant, where the image begins and ends in it; objects, what Python holds of
 * JavaScript by number, null where a number is free; programs, the lengths of two modules (web/snapshots/catchers.mjs),
 * which come before the memory.
 */
import { readFile } from "node:fs/promises";

import { catching, check, host, KNOWN } from "../micropython.js";
import { catcher, copier } from "./catchers.mjs";
import { builtIns, changed, refuse, settle, write } from "./parts.mjs";

const HEAP_SIZE = 2 * 1024 * 1024; // bytes, to begin with
const STACK_SIZE = 2048; // words
const GARBAGE = 64 * 1024; // bytes between collections: each looks at all that lives
const BLOCK = 64; // bytes compared at once

const [out, program, archive, ...modules] = process.argv.slice(2);
settle(0);
const bindings = watchBind();
const paths = builtIns();

const module = await WebAssembly.compile(await readFile(program));
const invoked = WebAssembly.Module.imports(module).filter(({ name }) => name.startsWith("invoke_"));
const programs = [catcher(invoked.map(({ name }) => name)), copier()];
const { wasm, objects, standing, pyimport } = await host(module, catching(...programs));
const memory = () => new Uint8Array(wasm.memory.buffer);
const fresh = memory().slice();
const data = fresh.findLastIndex(Boolean);
const sum = check(data);

wasm.__wasm_call_ctors();
const romfs = await readFile(archive);
const at = wasm.malloc(romfs.length);
memory().set(romfs, at);
wasm.mp_js_register_romfs(at, romfs.length);
wasm.mp_js_init(STACK_SIZE, HEAP_SIZE);
wasm.proxy_c_init();
modules.forEach((name) => pyimport(name));
const gc = pyimport("gc");
gc.threshold(GARBAGE);
gc.collect();
[...standing.keys()].forEach(wasm.proxy_c_free_obj); // what Python gave to JavaScript of this process

const whole = memory();
whole.fill(0, wasm.emscripten_stack_get_end(), wasm.emscripten_stack_get_current());
const base = new Uint8Array(whole.length);
base.set(fresh);
const description = {
  data,
  check: sum,
  programs: programs.map(({ length }) => length),
  size: whole.length,
  constant: [at, at + romfs.length],
  objects: objects.slice(KNOWN).map((value) => (value === undefined ? null : recipe(value))),
  spans: changed(whole, BLOCK, base),
};
await write(out, description, whole, ...programs);
process.exit();

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
