// The fsbridge tag: what a page puts into its <head>.

import { destination, org, runtime, settings, source } from "./choices.js";

const ADDRESS = "fsbridge/fsbridge.js";

/** The tag's data attributes as pairs of name and value; what is default is left out. */
function attributes() {
  const pairs = [
    ["destination", destination.name],
    ["org", org || "your-org-id"],
  ];
  if (runtime !== "micropython") pairs.push(["runtime", runtime]);
  if (source !== destination.source) pairs.push(["source", source]);
  return pairs.concat(Object.entries(settings));
}

/** The tag as an element that loads as soon as it is in the page. */
export function tagElement() {
  const tag = document.createElement("script");
  tag.src = ADDRESS;
  for (const [name, value] of attributes()) tag.dataset[name] = value;
  return tag;
}

/** The tag as one writes it in HTML. */
export function tagHtml() {
  const lines = attributes().map(([name, value]) => {
    const attribute = name.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase()); // as in element.dataset
    const quoted = value.replace(/&/g, "&amp;").replace(/"/g, "&quot;");
    return `        data-${attribute}="${quoted}"`;
  });
  return [`<script src="/${ADDRESS}"`, ...lines].join("\n") + "></script>";
}

// A wrong setting stays the text that it is.
function value(json) {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

/** The address of the playground, with a call of this page as one writes it, and the settings of this page. */
export function playgroundAddress(call) {
  const given = { [destination.org]: org || "o-1ABC-na1" };
  for (const { name, accepts } of destination.settings) {
    if (name in settings) given[name] = accepts === "text" ? settings[name] : value(settings[name]);
  }
  const fields = { destination: destination.name, source, settings: JSON.stringify(given, null, 2), messages: `${call}\n` };
  return `playground/#${Object.entries(fields).map((pair) => pair.map(encodeURIComponent).join("=")).join("&")}`;
}
