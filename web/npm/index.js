/* fsbridge as a module, for bundlers: the tag as a function. Nothing happens on import, nor on a server. */

import { files } from "./files.js";
import { run } from "./tag.js";

const SWITCHES = ["beside", "replace"]; // attributes that count for being there

const isGiven = ([name, value]) => value !== undefined && !(value === false && SWITCHES.includes(name));

/*
 * Starts what the tag starts (index.d.ts says the options). The first call counts; each gives window.fsbridge, or undefined
 * where there is no page.
 */
export function load(options) {
  if (typeof document === "undefined") return undefined;
  if (!globalThis.fsbridge?.ready) {
    const config = Object.fromEntries(Object.entries(options).filter(isGiven));
    if (!config.base) Object.defineProperty(config, "at", { value: (file) => files[file]().href }); // no attribute
    globalThis.fsbridgeConfig = config;
    run();
  }
  return globalThis.fsbridge;
}
