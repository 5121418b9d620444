/* The interpreters: each comes with fsbridge imported, from files beside the tag. */

import { base, data, source, usual } from "./attributes.js";
import { keys, Promise } from "./natives.js";
import { shared } from "./shared.js";

const { fsbridge, ...folders } = FACTS.files; // where they lie
// Where a file of ours is: beside the tag, or where a bundler has put it (web/npm).
const at = globalThis.fsbridgeConfig?.at || ((file) => base + fsbridge + file);

// The modules that this destination needs, or all of them.
const image = () => (source && source === usual ? data.destination + (shared.isBeside ? "-beside" : "") : "all");

// What the host of each needs, on its way from the first moment.
const parts = {
  micropython: (_, name = image()) => [fetch(at("first.wasm")), fetch(at(name + ".snapshot")), at, name],
  pyodide: (folder) => [import(folder + "pyodide.js"), folder, at(""), FACTS.version],
};

/* Gives a function that starts fsbridge in an interpreter: the one that is asked for, if it was built. */
export async function interpreter() {
  const built = (shared.built = keys(folders));
  const runtime = built.includes(data.runtime) ? data.runtime : built[0];
  const url = at(runtime + ".js");
  const loading = import(url); // first, since it makes something of the rest
  const coming = parts[runtime](base + folders[runtime]);
  Promise.all([loading, ...coming]).catch(() => {}); // boot says it
  let host;
  try {
    host = await loading;
    if (!host.boot) throw new Error("not fsbridge's");
  } catch (error) {
    throw new Error(url + ": " + error.message);
  }
  host.early?.(shared);
  const python = await host.boot(...coming);
  return () => host.start(python, shared);
}
