/*
 * Boots Pyodide for the tag: from the memory snapshot that the build made (web/snapshots/pyodide.mjs), or
 * plainly where the snapshot is missing, damaged or of another build.
 */

import "./whole.js";
import { start as begin } from "./live/start.js";
import { own, Promise } from "./own.js";

/*
 * Pyodide with fsbridge to import. `coming` is a promise of Pyodide's module, `indexURL` its folder, `ours` that of what the
 * build made, `version` the tag's.
 */
export async function boot(coming, indexURL, ours, version) {
  at = (file) => ours + file;
  demand();
  const { loadPyodide } = await coming;
  const load = () =>
    restore(loadPyodide, indexURL, ours, version).catch((error) => {
      console.warn("[fsbridge] Pyodide starts without its snapshot: " + (error?.message || error));
      return plain(loadPyodide, indexURL, ours);
    });
  return equip(await insist(load, indexURL + "pyodide.asm.wasm"));
}

// What `load()` gives. Pyodide itself would wait for ever where its WebAssembly at `url` doesn't come or can't be used.
async function insist(load, url) {
  const timers = [];
  let show;
  try {
    return await new Promise((resolve, reject) => {
      const begin = () => load().then(resolve);
      const later = (action, timeout) => timers.push(setTimeout(() => action().catch(reject), timeout));
      // WebKit gives up what is on its way when a page goes into its back/forward cache.
      show = ({ persisted }) => persisted && later(begin, SHORT_TIMEOUT);
      addEventListener("pageshow", show);
      later(() => examine(url), SHORT_TIMEOUT);
      later(() => compile(url).then(begin), LONG_TIMEOUT);
      begin().catch(reject);
    });
  } finally {
    timers.forEach(clearTimeout);
    removeEventListener("pageshow", show);
  }
}

let at; // gives a file's address

/* Starts fsbridge (web/live/start.js). */
export function start(interpreter, shared) {
  shared.at = at;
  return begin(interpreter, shared);
}

// Two crossings for a call that Python would make in four.
function equip(pyodide) {
  pyodide.pyimport("fsbridge.runtime.pyodide").use_box((method, self, ...args) => [method.apply(self, args)]);
  return pyodide;
}

// Throws in a browser where Pyodide would wait for ever.
function demand() {
  const { fetch, TextDecoder, WebAssembly } = globalThis;
  const needed = { fetch, TextDecoder, WebAssembly, instantiateStreaming: WebAssembly?.instantiateStreaming };
  for (const name of Object.keys(needed)) if (!needed[name]) throw new Error("this browser has no " + name);
}

// Milliseconds till the file's beginning is looked at, and till it is tried whole.
const SHORT_TIMEOUT = 3000;
const LONG_TIMEOUT = 60_000;

// Throws where there is no WebAssembly to be had: Pyodide itself would wait for ever.
async function examine(url) {
  const reader = (await fetched(url)).body.getReader();
  const { value } = await reader.read();
  reader.cancel();
  if (String(value?.slice(0, 4)) !== "0,97,115,109") throw new Error(url + " is no WebAssembly");
  await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])); // the page's policy may not allow any
}

async function compile(url) {
  try {
    await WebAssembly.compileStreaming(fetched(url));
  } catch (error) {
    throw new Error(url + ": " + error.message);
  }
}

async function fetched(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(url + ": " + response.status);
  return response;
}

async function plain(loadPyodide, indexURL, ours) {
  const archive = fetched(ours + "fsbridge.zip").then((response) => response.arrayBuffer());
  const [pyodide, zip] = await Promise.all([loadPyodide({ indexURL }), archive]);
  pyodide.FS.writeFile("/fsbridge.zip", new Uint8Array(zip));
  pyodide.runPython("import sys; sys.path.insert(0, '/fsbridge.zip')");
  return pyodide;
}

// A snapshot's parts. The file is compressed by itself, so that any host will do, and gzip tells when it is damaged.
async function read(url, version) {
  const { body } = await fetched(url);
  const buffer = await new Response(body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  let at = 0;
  const take = (size) => new Uint8Array(buffer, (at += size) - size, size);
  const length = new DataView(buffer).getUint32(take(4).byteOffset, true);
  const found = JSON.parse(new TextDecoder().decode(take(length)));
  if (found.version !== version) throw new Error(`it holds fsbridge ${found.version}, the tag is ${version}`);
  return { lock: found.lock, header: take(found.header), contents: found.spans.map(([to, size]) => [to, take(size)]) };
}

// What Python holds of JavaScript, from how web/snapshots/pyodide.mjs wrote it down.
function revive({ path, items, value }) {
  if (path) return path.length ? own(...path) : globalThis;
  return items ? items.map(revive) : value;
}

async function restore(loadPyodide, indexURL, ours, version) {
  const snapshot = read(ours + "pyodide.snapshot", version);
  const program = import(indexURL + "pyodide.asm.js");
  const header = new Uint8Array(65536);
  const pyodide = await loadPyodide({
    indexURL,
    // The modules are in the snapshot. Pyodide insists on a file, so it gets one that is here anyway.
    stdLibURL: indexURL + "pyodide.js",
    lockFileContents: new Promise((resolve) =>
      snapshot.then(
        ({ lock }) => resolve(lock),
        () => {},
      ),
    ),
    // Pyodide would wait for a whole snapshot before it compiles anything. It gets the header, empty for now.
    _loadSnapshot: header,
    _snapshotDeserializer: revive,
    async createPyodideModule(settings) {
      const created = program.then((module) => module.default(settings));
      const [module, found] = await Promise.all([created, snapshot]);
      header.set(found.header);
      for (const [start, bytes] of found.contents) module.HEAPU8.set(bytes, start);
      return module;
    },
  });
  // Every visitor starts from the same memory.
  pyodide.runPython("import random; random.seed()");
  return pyodide;
}
