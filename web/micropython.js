/*
 * Boots MicroPython for the tag, and is its WebAssembly module's host in place of the JavaScript that comes with it: that
 * one is large, made for debugging, and keeps its state in globals, where a second MicroPython on the page would find it.
 * Here values cross exactly, numbers beyond 32 bits and halves of surrogate pairs, too.
 *
 * It hosts one interpreter, for code that runs synchronously: what such code doesn't need (files, coroutines) isn't here.
 * What the module imports and exports is fixed by the version that package.json pins.
 */

import "./whole.js";
import { end, waitFor } from "./live/calls.js";
import { guard, messageOf } from "./live/python.js";
import { start as begin } from "./live/start.js";
import { errorsHave, now, own, Promise } from "./own.js";
import { compiled, compiledNow, opened, openedNow } from "./parts.js";

export { early } from "./live/early.js";

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
const keys = own("Object", "keys");
const construct = own("Reflect", "construct");
const bind = own("Function", "prototype", "bind");
const Map = own("Map");
const WeakMap = own("WeakMap");

let wasm; // the module's exports
let bytes; // its memory
let words;
let environment; // what a module imports

function renewViews() {
  bytes = new Uint8Array(wasm.memory.buffer);
  words = new Int32Array(wasm.memory.buffer);
}

/*
 * MicroPython with its memory as the build left it (web/snapshots/micropython.mjs), where fsbridge is imported. Interpreter
 * (web/interpreter/) and snapshot come in two parts each. Takes promises of the responses with the two that come first, a
 * function that gives a file's address, and the snapshot's name. Gives an object with `pyimport(name)`, a module's
 * attributes.
 */
export async function boot(program, snapshot, at, name) {
  place = at;
  later = [at("second.wasm"), at(`${name}.second.snapshot`)];
  const [module, found] = await Promise.all([
    compiled(at("first.wasm"), program),
    opened(at(`${name}.snapshot`), snapshot, (found) => ({ ...found, catchers: catching(...found.programs) })),
  ]);
  await host(module, found.catchers);
  restore(found);
  return { pyimport };
}

/*
 * Starts fsbridge (web/live/start.js). The second parts follow once what waited has gone out; before, where that will need
 * them. Without them all goes on: whoever needs them asks again.
 */
export async function start(interpreter, shared) {
  shared.at = place;
  if (isDemanding(shared)) await second().catch(() => {});
  await begin(interpreter, shared);
  await new Promise(idle);
  second().catch(() => {});
}

// Whether a page has set up middleware or the like, or maps with more than paths.
function isDemanding({ data, queue }) {
  const waiting = queue.takeAll();
  queue.addFirst(waiting);
  return waiting.some(({ method }) => /^(add|register|track.)/.test(method)) || /"@(?!(path|if)")/.test(data.settings);
}

let place; // what gives a file's address
let later; // the addresses of the second parts
let isOver = false; // Python was left in the middle, and does nothing any more

const idle = (action) =>
  globalThis.requestIdleCallback ? requestIdleCallback(action, { timeout: 1000 }) : setTimeout(action, 500);

async function second() {
  if (wasm.arrived.value) return;
  const [program, snapshot] = later.map((url) => fetch(url, { priority: "low" }));
  complete(...(await Promise.all([compiled(later[0], program), opened(later[1], snapshot)])));
}

// In the middle of Python, which waits: all is synchronous.
function bring() {
  try {
    waitFor(() => complete(compiledNow(later[0]), openedNow(later[1])));
  } catch (error) {
    isOver = true;
    end(error);
    throw error;
  }
}

function complete(module, found) {
  if (wasm.arrived.value) return;
  fill(found);
  new WebAssembly.Instance(module, { ...environment(module), first: wasm });
  wasm.arrived.value = 1;
}

// A table has functions of WebAssembly's only: a module that gives what it is given, () → nothing.
const GIVING = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 6, 1, 0, 1, 102, 0, 0, 7, 5, 1, 1, 102, 0, 0];
const functionOf = (f) =>
  new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(GIVING)), { "": { f } }).exports.f;

/*
 * Makes an interpreter of the module, whose memory is as the module brings it: for boot, and for who makes snapshots.
 * `catchers` is what `catching` gives.
 */
export async function host(module, catchers) {
  const { serve, invoke, ...given } = catchers;
  const env = { ...imports, ...given };
  const none = () => NO_SUCH_FILE; // the rest is for files: there are none
  environment = (module) => {
    for (const { name } of WebAssembly.Module.imports(module)) {
      env[name] = env[name] || (name.startsWith("invoke_") ? invoke : none);
    }
    return { env, wasi_snapshot_preview1: env };
  };
  wasm = (await WebAssembly.instantiate(module, environment(module))).exports;
  if (wasm.bring) wasm.__indirect_function_table.set(wasm.bring.value, functionOf(bring));
  serve();
  renewViews();
  wasm.emscripten_stack_init();
  return { wasm, objects, standing, pyimport };
}

const fill = ({ contents }) => contents.forEach(([to, content]) => bytes.set(content, to));

function restore(found) {
  if (found.size > bytes.length) resize(found.size - bytes.length);
  const [names, ...others] = found.contents;
  fill({ contents: [names] });
  index(bytes, found.pools);
  fill({ contents: others });
  constant = found.constant;
  [measure, thrower] = found.thrower;
  found.objects.forEach((recipe, index) => {
    const number = index + KNOWN;
    if (!recipe) return free.push(number);
    objects[number] = revive(recipe);
    numbers.set(objects[number], number);
  });
}

/*
 * Makes the tables by which Python finds its names: pools, each of it where the addresses, the hashes and the lengths of
 * so many names are, and where the names themselves, one behind the other; 0 where the addresses are there.
 */
export function index(bytes, pools) {
  const words = new Uint32Array(bytes.buffer);
  const halves = new Uint16Array(bytes.buffer);
  for (const [addresses, count, hashes, lengths, names] of pools) {
    let at = names;
    for (let name = 0; name < count; name++) {
      const word = addresses / 4 + name;
      if (names) words[word] = at;
      else at = words[word];
      let hash = 5381;
      while (bytes[at]) hash = ((hash * 33) ^ bytes[at++]) & 0xffff;
      halves[hashes / 2 + name] = hash || 1;
      bytes[lengths + name] = at++ - words[word];
    }
  }
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
  renewViews();
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
  if (isOver) return undefined;
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

let measure = 0; // the place in the table of Python's len, and an object that raises when it is measured
let thrower;

// JavaScript's exceptions would unwind Python past every `except`, and leave it harmed for good: they become Python's.
// There is an argument for each that any of these functions has: it costs less than a list of them.
function careful(action) {
  return (a, b, c, d, e, f, g) => {
    try {
      return action(a, b, c, d, e, f, g);
    } catch (error) {
      if (isOver || !measure) throw error;
      guard.message = messageOf(error);
      return wasm.__indirect_function_table.get(measure)(thrower);
    }
  };
}

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

const touching = {
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
};
for (const name of keys(touching)) touching[name] = careful(touching[name]);

const imports = {
  ...touching,

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

  mp_js_random_u32() {
    try {
      return crypto.getRandomValues(new Uint32Array(1))[0];
    } catch (_error) {
      return Math.random() * 2 ** 32;
    }
  },
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
  const found = []; // functions in the interpreter's table
  let getStack;
  let restoreStack;
  let setThrew;
  // As in `careful`: an argument for each that any of them has.
  const invoke = (index, a, b, c, d, e, f) => {
    const stack = getStack();
    try {
      return (found[index] ??= wasm.__indirect_function_table.get(index))(a, b, c, d, e, f);
    } catch (error) {
      restoreStack(stack);
      if (error !== jump) throw error;
      setThrew(1, 0);
    }
  };
  const _emscripten_throw_longjmp = () => {
    throw jump;
  };
  const serve = () => {
    [getStack, restoreStack, setThrew] = OF_INTERPRETER.map((name) => wasm[name]);
  };
  return { invoke, _emscripten_throw_longjmp, serve };
}

// JavaScriptCore now and then lets one of WebAssembly's exceptions pass what catches it (seen in WebKitGTK 2.50, about once in
// a hundred pages with other windows). Only its errors know their line.
const LOSES_EXCEPTIONS = errorsHave("line");

/* What the interpreter's `invoke_` functions are: given the two programs, or without where a browser can't have them. */
export function catching(...programs) {
  try {
    if (!LOSES_EXCEPTIONS) return catchingInWebAssembly(...programs);
  } catch (_error) {
    // the browser has no exceptions in WebAssembly
  }
  return catchingInJavaScript();
}
