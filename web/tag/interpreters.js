/* The interpreters: each comes with fsbridge imported, from files beside the tag. */

import { base, data, source, usual } from "./attributes.js";
import { keys, Promise, setTimeout } from "./natives.js";
import { say } from "./say.js";

const { files } = FACTS;

async function fetched(path) {
  const response = await fetch(base + path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
}

const load = async (path) => new Uint8Array(await (await fetched(path)).arrayBuffer());

// MicroPython with the modules that this destination needs, or all of them.
async function micropython(ended) {
  const parts = [
    fetched(`${files.fsbridge}first.wasm`),
    load(`${files.fsbridge}${source && source === usual ? data.destination : "all"}.snapshot`),
  ];
  parts.forEach((part) => part.catch(() => {})); // boot says it
  const { boot, start } = await import(`${base}${files.fsbridge}micropython.js`);
  const python = await boot(...parts, `${base}${files.fsbridge}second.wasm`, ended);
  return (config) => {
    start(python, config);
    // What first calls don't need comes after them. Where it can't, it is asked for again when it is needed.
    const complete = () => python.complete().catch(() => {});
    if (window.requestIdleCallback) requestIdleCallback(complete, { timeout: 1000 });
    else setTimeout(complete, 500);
  };
}

async function pyodide() {
  const folders = [base + files.pyodide, base + files.fsbridge];
  const [{ loadPyodide }, { boot, start }] = await Promise.all(folders.map((folder) => import(`${folder}pyodide.js`)));
  const python = await boot(loadPyodide, ...folders, FACTS.version);
  return (config) => start(python, config);
}

/*
 * A function that starts fsbridge in an interpreter: the one that is asked for, if it was built. `ended(error)` is called
 * should that find later that it can't go on.
 */
export function interpreter(ended) {
  const runtimes = { micropython, pyodide };
  const built = keys(runtimes).filter((name) => files[name]);
  let runtime = data.runtime || built[0];
  if (!built.includes(runtime)) {
    say(`unknown data-runtime ${runtime}; accepted: ${built.join(", ")}`);
    [runtime] = built;
  }
  return runtimes[runtime](ended);
}
