/* The interpreters: each comes with fsbridge imported, from files beside the tag. */

import { base, data, source, usual } from "./attributes.js";
import { keys, Promise } from "./natives.js";
import { say } from "./say.js";

const { files } = FACTS;

async function fetched(path) {
  const response = await fetch(base + path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
}

const load = async (path) => new Uint8Array(await (await fetched(path)).arrayBuffer());

// MicroPython with the modules that this destination needs, or all of them.
async function micropython() {
  const parts = [
    fetched(`${files.micropython}micropython.wasm`),
    load(`${files.fsbridge}${source && source === usual ? data.destination : "all"}.snapshot`),
  ];
  parts.forEach((part) => part.catch(() => {})); // boot says it
  const { boot, start } = await import(`${base}${files.fsbridge}micropython.js`);
  const python = await boot(...parts);
  return (config) => start(python, config);
}

async function pyodide() {
  const folders = [base + files.pyodide, base + files.fsbridge];
  const [{ loadPyodide }, { boot, start }] = await Promise.all(folders.map((folder) => import(`${folder}pyodide.js`)));
  const python = await boot(loadPyodide, ...folders, FACTS.version);
  return (config) => start(python, config);
}

/* A function that starts fsbridge in an interpreter: the one that is asked for, if it was built. */
export function interpreter() {
  const runtimes = { micropython, pyodide };
  const built = keys(runtimes).filter((name) => files[name]);
  let runtime = data.runtime || built[0];
  if (!built.includes(runtime)) {
    say(`unknown data-runtime ${runtime}; accepted: ${built.join(", ")}`);
    [runtime] = built;
  }
  return runtimes[runtime]();
}
