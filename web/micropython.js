/*
 * Boots MicroPython for the tag, and is its WebAssembly module's host in place of the JavaScript that comes with it: that
 * one is large, made for debugging, and keeps its state in globals, where a second MicroPython on the page would find it.
 * Here values cross exactly, numbers beyond 32 bits and halves of surrogate pairs, too.
 *
 * It hosts one interpreter, for code that runs synchronously: what such code doesn't need (files, coroutines) isn't here.
 * What the module imports and exports is fixed by the version that package.json pins.
 */

import { now, own, Promise } from "./own.js";

export { start } from "./python.js";

const NO_SUCH_FILE = -44; // emscripten's errno

// How a value in the module's memory is laid out: three words, of which the first is one of these.
const TO_PYTHON = {
  undefined: 0,
  null: 1,
  boolean: 2,
  integer: 3,
  double: 4,
  string: 5,
  known: 6,
  object: 7,
  python: 8,
};
const TO_JS = {
  exception: -1,
  none: 1,
  boolean: 2,
  integer: 3,
  double: 4,
  string: 5,
  callable: 6,
  object: 9,
  known: 10,
};
const VALUE = 12; // bytes

/* Functions of the interpreter's for what catches exceptions, which finds them in its table behind ENOUGH others. */
export const OF_INTERPRETER = ["emscripten_stack_get_current", "_emscripten_stack_restore", "setThrew"];
export const ENOUGH = 4096;

const apply = own("Reflect", "apply");
const construct = own("Reflect", "construct");
const bind = own("Function", "prototype", "bind");
const Map = own("Map");
const WeakMap = own("WeakMap");

let wasm; // the module's exports
let bytes; // its memory
let words;

function look() {
  bytes = new Uint8Array(wasm.memory.buffer);
  words = new Int32Array(wasm.memory.buffer);
}

/*
 * MicroPython with its memory as the build left it (web/snapshots/micropython.mjs), where fsbridge is imported. Takes
 * promises: of the response with micropython.wasm, and of the snapshot's bytes. Gives an object with `pyimport(name)`, a
 * module's attributes.
 */
export async function boot(response, snapshot) {
  const [module, found] = await Promise.all([response.then(compile), snapshot.then(open)]);
  await host(module, found.catchers);
  restore(found);
  return { pyimport };
}

/*
 * Makes an interpreter of the module, whose memory is as the module brings it: for boot, and for who makes snapshots.
 * `catchers` is what `catching` gives.
 */
export async function host(module, catchers) {
  const { serve, invoke, ...given } = catchers;
  const env = { ...imports, ...given };
  const none = () => NO_SUCH_FILE; // the rest is for files: there are none
  for (const { name } of WebAssembly.Module.imports(module)) {
    env[name] = env[name] || (name.startsWith("invoke_") ? invoke : none);
  }
  wasm = (await WebAssembly.instantiate(module, { env, wasi_snapshot_preview1: env })).exports;
  serve();
  look();
  wasm.emscripten_stack_init();
  return { wasm, objects, standing, pyimport };
}

// A snapshot's parts.
function open(snapshot) {
  let at = 0;
  const take = (size) => snapshot.subarray(at, (at += size));
  const length = new DataView(snapshot.buffer, snapshot.byteOffset).getUint32(0, true);
  const found = JSON.parse(decoder.decode(take(4 + length).subarray(4)));
  const catchers = catching(...found.programs.map(take));
  return { ...found, catchers, contents: found.spans.map(([to, size]) => [to, take(size)]) };
}

function restore(found) {
  if (check(found.data) !== found.check) throw new Error("micropython.wasm and the snapshot are of different builds");
  if (found.size > bytes.length) resize(found.size - bytes.length);
  for (const [to, content] of found.contents) bytes.set(content, to);
  constant = found.constant;
  found.objects.forEach((recipe, index) => {
    const number = index + KNOWN;
    if (!recipe) return free.push(number);
    objects[number] = revive(recipe);
    numbers.set(objects[number], number);
  });
}

/* Tells apart what different modules bring in their memory's first bytes. */
export function check(size) {
  let sum = 0;
  for (let word = 0; word < size / 4; word += 16) sum = (31 * sum + words[word]) | 0;
  return sum;
}

// What Python holds of JavaScript, from how it was written down.
function revive({ path, items, bound }) {
  if (path) return path.length ? own(...path) : globalThis;
  if (items) return items.map(revive);
  const [method, ...given] = bound.map(revive);
  return apply(bind, method, given);
}

function resize(more) {
  wasm.memory.grow(Math.ceil(more / 65536));
  look();
}

// While it arrives, if the server says what it is.
async function compile(response) {
  const streams = response.headers.get("Content-Type") === "application/wasm";
  return streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

const pyimport = (name) => ask(name, wasm.mp_js_do_import);

// What Python answers to a name: `question` gets the address of that, and of where the answer goes.
function ask(name, question) {
  return withStack(2 * VALUE, (at) => {
    give(name, at);
    question(words[at / 4 + 2], at + VALUE);
    wasm.free(words[at / 4 + 2]);
    return take(at + VALUE);
  });
}

// `action(address)` with that much of the module's stack.
function withStack(size, action) {
  const before = wasm.emscripten_stack_get_current();
  try {
    return action(wasm._emscripten_stack_alloc(size));
  } finally {
    wasm._emscripten_stack_restore(before);
  }
}

// Strings

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const LONG = 64; // from here on the browser's own are faster
let constant = [0, 0]; // from where to where strings stay what they are
const constants = new Map(); // those that have been needed, by address

function string(at, length) {
  if (at < constant[0] || at >= constant[1]) return decode(at, at + length);
  let found = constants.get(at);
  if (found === undefined || found.length !== length) constants.set(at, (found = decode(at, at + length)));
  return found;
}

// Names of attributes are kept for good, and end with a zero.
function attribute(at) {
  let found = constants.get(at);
  if (found === undefined) constants.set(at, (found = decode(at, bytes.indexOf(0, at))));
  return found;
}

function decode(at, end) {
  if (end - at > LONG) {
    try {
      return decoder.decode(bytes.subarray(at, end));
    } catch (_error) {
      // half a surrogate pair
    }
  }
  let text = "";
  while (at < end) {
    let code = bytes[at++];
    if (code > 0xef) code = ((code & 7) << 18) | (tail(at++) << 12) | (tail(at++) << 6) | tail(at++);
    else if (code > 0xdf) code = ((code & 15) << 12) | (tail(at++) << 6) | tail(at++);
    else if (code > 0x7f) code = ((code & 31) << 6) | tail(at++);
    text += String.fromCodePoint(code);
  }
  return text;
}

const tail = (at) => bytes[at] & 63;

// Writes a string, and a zero, into memory of its own; `out` gets its length and address.
function encode(text, out) {
  const start = wasm.malloc(3 * text.length + 1);
  if (!start) throw new RangeError("out of memory");
  let at = start;
  if (text.length > LONG && text.isWellFormed && text.isWellFormed()) {
    at += encoder.encodeInto(text, bytes.subarray(start)).written;
  } else {
    for (let index = 0; index < text.length; index++) {
      const code = text.codePointAt(index);
      if (code < 0x80) {
        bytes[at++] = code;
      } else if (code < 0x800) {
        bytes[at++] = 0xc0 | (code >> 6);
        bytes[at++] = 0x80 | (code & 63);
      } else {
        if (code > 0xffff) {
          index++;
          bytes[at++] = 0xf0 | (code >> 18);
          bytes[at++] = 0x80 | ((code >> 12) & 63);
        } else {
          bytes[at++] = 0xe0 | (code >> 12);
        }
        bytes[at++] = 0x80 | ((code >> 6) & 63);
        bytes[at++] = 0x80 | (code & 63);
      }
    }
  }
  bytes[at] = 0;
  words[out / 4 + 1] = at - start;
  words[out / 4 + 2] = start;
}

// JavaScript's values for Python

const GLOBAL = 0;
// Of the global object, as they should be.
const builtIns = { __proto__: null };
for (const name of "Array BigInt Boolean Date Error Function JSON Map Number Object Promise Proxy Reflect Set String".split(
  " ",
)) {
  builtIns[name] = own(name);
}
const objects = [globalThis, undefined]; // those that Python holds, by number; the first two for good
export const KNOWN = objects.length;
const numbers = new Map([[globalThis, GLOBAL]]);
const free = []; // numbers
const double = new Float64Array(1);
const halves = new Int32Array(double.buffer);

function give(value, out) {
  let kind = TO_PYTHON[typeof value];
  const word = out / 4 + 1;
  if (typeof value === "string") {
    encode(value, out);
  } else if (typeof value === "boolean") {
    words[word] = value;
  } else if (typeof value === "number") {
    kind = (value | 0) === value && (value || 1 / value > 0) ? TO_PYTHON.integer : TO_PYTHON.double;
    if (kind === TO_PYTHON.integer) {
      words[word] = value;
    } else {
      double[0] = value;
      words[word] = halves[0];
      words[word + 1] = halves[1];
    }
  } else if (value === null) {
    kind = TO_PYTHON.null;
  } else if (value !== undefined) {
    const python = typeof value === "function" || typeof value === "object" ? ids.get(value) : undefined;
    let number = python;
    kind = TO_PYTHON.python;
    if (python === undefined) {
      number = numbers.get(value);
      kind = TO_PYTHON.known;
      if (number === undefined) {
        number = free.length ? free.pop() : objects.length;
        objects[number] = value;
        numbers.set(value, number);
        kind = TO_PYTHON.object;
      }
    }
    words[word] = number;
  }
  words[word - 1] = kind;
}

function release(number) {
  if (number < KNOWN) return;
  numbers.delete(objects[number]);
  objects[number] = undefined;
  free.push(number);
}

// Python's values for JavaScript

const ids = new WeakMap(); // of what stands for Python's objects here
const standing = new Map(); // and by their ids, weakly
const asked = []; // of those, what Python is about to name
const finished = new FinalizationRegistry((id) => {
  standing.delete(id);
  wasm.proxy_c_free_obj(id);
});

class PythonError extends Error {
  name = "PythonError";
}

function take(at) {
  const word = at / 4 + 1;
  const content = words[word];
  switch (words[word - 1]) {
    case TO_JS.string:
      return string(words[word + 1], content);
    case TO_JS.object:
      return objects[content];
    case TO_JS.none:
      return null;
    case TO_JS.boolean:
      return !!content;
    case TO_JS.integer:
      return content;
    case TO_JS.double:
      halves[0] = content;
      halves[1] = words[word + 1];
      return double[0];
    case TO_JS.known:
      return asked.splice(content, 1, undefined)[0];
    case TO_JS.exception: {
      const text = decode(words[word + 1], words[word + 1] + content);
      wasm.free(words[word + 1]);
      throw new PythonError(text.split("\x04")[1]);
    }
    case TO_JS.callable:
      return stand((...args) => call(content, args), content);
    default:
      return stand(new Proxy({}, { get: (_, name) => read(content, name) }), content);
  }
}

function stand(value, id) {
  ids.set(value, id);
  standing.set(id, new WeakRef(value));
  finished.register(value, id);
  return value;
}

function call(id, args) {
  const count = args.length;
  return withStack((count + 1) * VALUE, (at) => {
    for (let index = 0; index < count; index++) give(args[index], at + (index + 1) * VALUE);
    wasm.proxy_c_to_js_call(id, count, at + VALUE, at);
    return take(at);
  });
}

function read(id, name) {
  if (typeof name !== "string" || name === "then") return undefined;
  return ask(name, (at, out) => wasm.proxy_c_to_js_lookup_attr(id, at, out));
}

// What Python does with JavaScript's objects

function values(count, at) {
  const result = [];
  for (let index = 0; index < count; index++) result.push(take(at + index * VALUE));
  return result;
}

function keywords(count, names, at) {
  const result = {};
  values(count, at).forEach((value, index) => (result[attribute(words[names / 4 + index])] = value));
  return result;
}

// A method's first argument is its object.
function perform(number, isMethod, args, out) {
  give(isMethod ? apply(objects[number], args[0], args.slice(1)) : apply(objects[number], undefined, args), out);
}

const started = now();
let line = "";

const imports = {
  call0: (number, out) => give(objects[number](), out),
  call1: (number, isMethod, at, out) => perform(number, isMethod, [take(at)], out),
  call2: (number, isMethod, one, two, out) => perform(number, isMethod, [take(one), take(two)], out),
  calln: (number, isMethod, count, at, out) => perform(number, isMethod, values(count, at), out),
  call0_kwarg: (number, isMethod, count, names, at, out) =>
    perform(number, isMethod, [keywords(count, names, at)], out),
  calln_kwarg: (number, isMethod, count, args, named, names, at, out) =>
    perform(number, isMethod, [...values(count, args), keywords(named, names, at)], out),
  js_reflect_construct: (number, count, at, out) => give(construct(objects[number], values(count, at)), out),

  has_attr: (number, name) => attribute(name) in objects[number],
  // Whether there is none (0), or it is a value (1) or a method (2).
  lookup_attr(number, name, out) {
    const key = attribute(name);
    const value = (number === GLOBAL ? builtIns[key] : undefined) ?? objects[number][key];
    if (value === undefined && !(key in objects[number])) return 0;
    give(value, out);
    return typeof value === "function" && !ids.has(value) ? 2 : 1;
  },
  store_attr(number, name, at) {
    objects[number][attribute(name)] = take(at);
  },
  js_subscr_load: (number, key, out) => give(objects[number][take(key)], out),
  js_subscr_store(number, key, at) {
    objects[number][take(key)] = take(at);
  },
  js_get_iter: (number, out) => give(objects[number][Symbol.iterator](), out),
  js_iter_next(number, out) {
    const { done, value } = objects[number].next();
    if (!done) give(value, out);
    return !done;
  },

  proxy_js_free_obj: release,
  js_check_existing(id) {
    const found = standing.get(id)?.deref();
    if (!found) return -1;
    const place = asked.indexOf(undefined);
    return place < 0 ? asked.push(found) - 1 : ((asked[place] = found), place);
  },
  js_get_proxy_js_ref_info(out) {
    words[out / 4] = objects.length;
    words[out / 4 + 1] = objects.length - free.length;
  },

  _abort_js() {
    throw new Error("MicroPython gave up");
  },
  emscripten_resize_heap(wanted) {
    const more = Math.max((wanted >>> 0) - bytes.length, bytes.length / 5);
    try {
      resize(more);
    } catch (_error) {
      return 0;
    }
    return 1;
  },

  mp_js_random_u32: () => crypto.getRandomValues(new Uint32Array(1))[0],
  mp_js_ticks_ms: () => now() - started,
  mp_js_time_ms: now,
  // What is printed goes to the console, by lines.
  fd_write(_file, parts, count, out) {
    let size = 0;
    for (let part = parts / 4; part < parts / 4 + 2 * count; part += 2) {
      line += decode(words[part], words[part] + words[part + 1]);
      size += words[part + 1];
    }
    const lines = line.split("\n");
    line = lines.pop();
    for (const each of lines) console.log(each);
    words[out / 4] = size;
    return 0;
  },
};

// What may raise a Python exception the interpreter calls by way of functions of ours, `invoke_` and letters for the types
// of result and arguments, which catch it: C's longjmp. A small module does that (web/snapshots/catchers.mjs): JavaScript
// on the way would cost as much as Python itself.

function catchingInWebAssembly(catcher, copier) {
  const { table, ...functions } = new WebAssembly.Instance(new WebAssembly.Module(catcher)).exports;
  const program = new WebAssembly.Module(copier);
  const serve = () => {
    const from = wasm.__indirect_function_table;
    OF_INTERPRETER.forEach((name, index) => table.set(ENOUGH + index, wasm[name]));
    new WebAssembly.Instance(program, { "": { from, to: table } });
  };
  return { ...functions, serve };
}

function catchingInJavaScript() {
  const jump = {};
  const [getStack, restoreStack, setThrew] = OF_INTERPRETER;
  const invoke = (index, ...args) => {
    const stack = wasm[getStack]();
    try {
      return wasm.__indirect_function_table.get(index)(...args);
    } catch (error) {
      wasm[restoreStack](stack);
      if (error !== jump) throw error;
      wasm[setThrew](1, 0);
    }
  };
  const _emscripten_throw_longjmp = () => {
    throw jump;
  };
  return { invoke, _emscripten_throw_longjmp, serve() {} };
}

/* What the interpreter's `invoke_` functions are: given the two programs, or without where a browser can't have them. */
export function catching(...programs) {
  try {
    return catchingInWebAssembly(...programs);
  } catch (_error) {
    return catchingInJavaScript(); // the browser has no exceptions in WebAssembly
  }
}
