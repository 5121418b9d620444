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
