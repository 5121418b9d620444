/* The tag's own element: what it says, where it lies, and the bounds that it sets. */

import { keys, stringify } from "./natives.js";
import { say } from "./say.js";

// A tag manager may add scripts without saying which one runs, or a bundle run ours as a part of its own.
const isOurs = (script) => script?.dataset?.destination || /\bfsbridge[^/]*\.js$/.test(script?.src?.split("?")[0]);
const { currentScript } = document;
const element = isOurs(currentScript) ? currentScript : document.querySelector("script[data-destination]");

/*
 * What the attributes say. A tag manager may strip them: window.fsbridgeConfig, set before the tag, may say the same, under the
 * names that element.dataset has.
 */
export const data = { ...globalThis.fsbridgeConfig, ...element?.dataset };
for (const key of keys(data)) if (typeof data[key] !== "string") data[key] = stringify(data[key]);

/* The name of the API that the page calls, if the settings tell, and the one that is the destination's own. */
export const usual = { __proto__: null, ...FACTS.sources }[data.destination]; // nobody's destination is "toString"
export const source = data.source || usual;

/* The address of the folder with everything else. */
const folder = (element?.src || location.href).replace(/[^/]*([?#].*)?$/, "");
export const base = data.base ? address(data.base) : folder;

// An address in full. Not by URL, which is a name that pages take for themselves.
function address(path) {
  const link = document.createElement("a");
  link.href = path;
  return link.href;
}

// A bound: the attribute, or the default.
function limit(name, standard) {
  const given = data[`queue${name}`];
  if (given === undefined || given > 0) return +(given || standard);
  say(`data-queue-${name.toLowerCase()} is "${given}"; accepted: a number greater than 0`);
  return standard;
}

/* Of what waits: so many calls, bytes (two for each character, as browsers count) and milliseconds. */
export const limits = {
  calls: limit("Calls", 1000),
  bytes: limit("Bytes", 512 * 1024),
  age: limit("Minutes", 30) * 60 * 1000,
};
