/* The tag's own element: what it says, where it lies, and the bounds that it sets. */

import { say } from "./say.js";

const OWN = /^(destination|source|runtime|settings|base|queue(Calls|Bytes|Minutes))$/;
const element = document.currentScript || document.querySelector("script[data-destination]");

export const data = { ...element?.dataset };

/* The name of the API that the page calls, if the settings tell, and the one that is the destination's own. */
export const usual = { __proto__: null, ...FACTS.sources }[data.destination]; // nobody's destination is "toString"
export const source = data.source || usual;

/* What isn't the tag's own: settings of the destination. */
export const settings = {};
for (const key in data) if (!OWN.test(key)) settings[key] = data[key];

/* The address of the folder with everything else. */
const folder = (element?.src || location.href).replace(/[^/]*([?#].*)?$/, "");
export const base = data.base ? address(data.base) : folder;

// An address in full. Not by URL, which is a name that pages take for themselves.
function address(path) {
  const link = document.createElementNS("http://www.w3.org/1999/xhtml", "a");
  link.href = path;
  return link.href;
}

// A bound: the attribute, or the default.
function limit(name, standard) {
  const given = element?.getAttribute(name);
  if (given == null || given > 0) return +(given || standard);
  say(`${name} is "${given}"; accepted: a number greater than 0`);
  return standard;
}

/* Of what waits: so many calls, bytes (two for each character, as browsers count) and milliseconds. */
export const limits = {
  calls: limit("data-queue-calls", 1000),
  bytes: limit("data-queue-bytes", 512 * 1024),
  age: limit("data-queue-minutes", 30) * 60 * 1000,
};
