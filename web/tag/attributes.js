/* The tag's own element: what it says, where it lies, and the bounds that it sets. */

import { attempt, keys, parse, stringify } from "./natives.js";

// A tag manager may add scripts without saying which one runs, or a bundle run ours as a part of its own.
const isOurs = (script) => script?.dataset?.destination || /^[^?]*\bfsbridge[^/?]*\.js(\?|$)/.test(script?.src);
const { currentScript } = document;
const element = isOurs(currentScript) ? currentScript : document.querySelector("script[data-destination]");

/*
 * What the attributes say. A tag manager may strip them: window.fsbridgeConfig, set before the tag, may say the same, under the
 * names that element.dataset has.
 */
export const data = { ...globalThis.fsbridgeConfig, ...element?.dataset };
for (const key of keys(data)) if (typeof data[key] !== "string") data[key] = stringify(data[key]);
// They count for being there, but for false.
for (const key of ["beside", "replace", "gpc"]) if (data[key] === "false") delete data[key];

/* The settings, as far as they can be read here: what is wrong with them Python says. */
export const given = attempt(() => ({ ...parse(data.settings || "{}"), ...data })) || data;

/* The destination's own API, and its names. */
export const [, usual, standard, ...ends] = FACTS.destinations.find(([name]) => name === data.destination) || [];

/* The name of the API that the page calls, if the settings tell. */
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

// A bound: the attribute, or the default. What is wrong with it is said later (web/live).
const limit = (name, standard) => (data[name] > 0 ? +data[name] : standard);

/* Of what waits: so many calls, and bytes (two for each character, as browsers count). web/live knows its age. */
export const limits = {
  calls: limit("queueCalls", 1000),
  bytes: limit("queueBytes", 512 * 1024),
};
