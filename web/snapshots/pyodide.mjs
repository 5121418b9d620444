/*
 * Makes a memory snapshot of Pyodide with fsbridge imported, for web/pyodide.js to restore in a page. Runs in Node.js.
 *
 *   node pyodide.mjs OUT PYODIDE_FOLDER FSBRIDGE_ZIP
 *
 * Only what differs from a fresh interpreter's memory is kept: what the .wasm brings itself is not sent twice. The
 * description (web/snapshots/parts.mjs) has the version of fsbridge; lock, a lock file without packages; header, the length
 * of what comes before the memory, Pyodide's own snapshot without memory; sha256 of the whole memory, for a test.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { builtIns, changed, contents, refuse, settle, write } from "./parts.mjs";

const BLOCK = 1024; // bytes compared at once: smaller ones make more spans, larger ones send more
const LARGEST = 1 << 20;

const [out, folder, archive] = process.argv.slice(2);
const at = (file) => pathToFileURL(resolve(folder, file)).href;
const { loadPyodide } = await import(at("pyodide.mjs"));
const { info } = JSON.parse(await readFile(resolve(folder, "pyodide-lock.json"), "utf8"));
const lock = { info, packages: {} };

function options(number, more) {
  settle(number);
  // Without docstrings, assertions and columns in tracebacks, which would be a fifth of the snapshot.
  const args = ["-OO", "-X", "no_debug_ranges"];
  const _sysExecutable = "./this.program"; // as in a page
  const env = { LANG: "C.UTF-8", PYTHONHASHSEED: "0" };
  return { indexURL: folder, lockFileContents: lock, args, env, _sysExecutable, ...more };
}

// The memory of an interpreter as it is when a page begins to restore a snapshot.
async function fresh(number) {
  const enough = new Error("enough");
  let memory;
  const createPyodideModule = async (settings) => {
    const { default: create } = await import(at("pyodide.asm.mjs"));
    memory = (await create(settings)).HEAPU8;
    throw enough;
  };
  try {
    await loadPyodide(options(number, { createPyodideModule, _loadSnapshot: new Uint8Array() }));
  } catch (error) {
    if (error !== enough) throw error;
  }
  return memory;
}

// What was freed still holds what was there: zeros compress better. Blocks of falling size fill all gaps.
function clearFreeMemory(module) {
  const end = module._sbrk(0);
  const gaps = [];
  for (let size = LARGEST; size >= 16; size = Math.floor(size * 0.75)) {
    for (;;) {
      const gap = module._malloc(size);
      if (gap >= end - size || module._sbrk(0) > end + 2 * LARGEST) {
        module._free(gap);
        break;
      }
      module.HEAPU8.fill(0, gap, gap + size);
      gaps.push(gap);
    }
  }
  gaps.forEach((gap) => module._free(gap));
  module.HEAPU8.fill(0, module._emscripten_stack_get_end(), module._emscripten_stack_get_current());
}

// Pyodide writes down what Python holds of JavaScript by its path from the global object, where it knows that. The rest
// is up to us: built-ins that came out of calls, arrays of them, and undefined, which Pyodide can't write down at all.
function takeSnapshot(pyodide) {
  const module = pyodide._module;
  const get = module.__hiwire_get;
  const nothing = {};
  module.__hiwire_get = (index) => {
    const value = get(index);
    return value === undefined ? nothing : value;
  };

  // What came from the global object is wrapped, so that its path is known. As `this` of a wrapped function it is bare.
  const { valueOf } = pyodide._api.config.jsglobals.Object;
  const paths = builtIns();
  const serializer = (value) => {
    if (value === nothing || value === undefined) return {};
    if (Object(value) !== value) return { value };
    const bare = Reflect.apply(valueOf, value, []);
    if (paths.has(bare)) return { path: paths.get(bare) };
    if (Array.isArray(bare)) return { items: bare.map(serializer) };
    return refuse(bare);
  };
  return pyodide.makeMemorySnapshot({ serializer });
}

// What differs between these two by chance belongs to neither, and is sent.
const bases = [await fresh(1), await fresh(2)];

const pyodide = await loadPyodide(options(3, { _makeSnapshot: true }));
pyodide.FS.writeFile("/fsbridge.zip", await readFile(archive));
const version = pyodide.runPython(`
import gc, importlib, linecache, random, sys, traceback, zipfile, zipimport

path = list(sys.path)
sys.path.append("/fsbridge.zip")
for name in zipfile.ZipFile("/fsbridge.zip").namelist():
    module, _, ending = name.partition(".")
    if ending == "py" and not module.endswith("/micropython"):
        importlib.import_module(module.removesuffix("/__init__").replace("/", "."))

# In the page there is no archive to import more from.
sys.path[:] = [place for place in path if not place.endswith(".zip")]
sys.path_importer_cache.clear()
zipimport._zip_directory_cache.clear()
linecache.clearcache()
del name, path, module, ending, _
random.seed(0)  # the page seeds it again
gc.collect()
gc.freeze()
sys.modules["fsbridge.version"].VERSION
`);
clearFreeMemory(pyodide._module);
const whole = takeSnapshot(pyodide);

const fields = new Uint32Array(whole.buffer, 0, 2); // [1]: where the memory begins
const memoryAt = fields[1];
fields[1] = 0xffffffff; // nowhere: pyodide.mjs writes it
const header = whole.subarray(0, memoryAt);
const memory = whole.subarray(memoryAt);
if (memory.length !== bases[0].length) throw new Error("Pyodide's memory has grown: a page couldn't restore it");
const spans = changed(memory, BLOCK, ...bases);
const sha256 = createHash("sha256").update(memory).digest("hex");
await write(out, { version, lock, header: header.length, spans, sha256 }, header, ...contents(memory, spans));
process.exit();
