// What is chosen in the panel. It lives in the address (?destination=…&runtime=…), so that a choice can be shared.

/** Every destination with its settings: {name, org, source, settings: [{name, accepts, default, meaning}]}. */
export const DESTINATIONS = await (await fetch("settings.json")).json();
export const RUNTIMES = { micropython: "MicroPython", pyodide: "Pyodide" };
export const SOURCES = { "analytics.js": "analytics", rudderanalytics: "rudderanalytics" };

const query = new URLSearchParams(location.search);

/** What in the address means nothing here, a sentence each. */
export const complaints = [];

function oneOf(known, name, otherwise) {
  const value = query.get(name);
  if (value === null || known.includes(value)) return value ?? otherwise;
  complaints.push(`There is no ${name} “${value}”: this is ${otherwise}. Known are ${known.join(", ")}.`);
  return otherwise;
}

const named = oneOf(DESTINATIONS.map(({ name }) => name), "destination", "segment-actions");
export const destination = DESTINATIONS.find(({ name }) => name === named);

export const runtime = oneOf(Object.keys(RUNTIMES), "runtime", "micropython");
export const source = oneOf(Object.keys(SOURCES), "source", destination.source);

/** FullStory's org id. Without one the page uses its stand-in for FullStory. */
export const org = query.get("org") ?? "";

/** The settings that differ from their defaults: name → text. */
export const settings = Object.fromEntries(
  destination.settings.filter((each) => query.has(each.name)).map((each) => [each.name, query.get(each.name)]),
);

const known = ["destination", "runtime", "source", "org", ...destination.settings.map(({ name }) => name)];
for (const name of new Set(query.keys())) {
  if (!known.includes(name)) complaints.push(`${destination.name} has no setting “${name}”: it is left out.`);
}

/** The address of this page with other choices: {destination, runtime, source, org, settings}, all optional. */
export function addressWith(changes) {
  const chosen = { destination: destination.name, runtime, source, org, settings, ...changes };
  const kind = DESTINATIONS.find((each) => each.name === chosen.destination);
  if (chosen.destination !== destination.name) {
    // Another destination has other settings, and its own vendor's API unless one is asked for.
    chosen.settings = changes.settings ?? {};
    chosen.source = changes.source ?? kind.source;
  }
  const wanted = new URLSearchParams({ destination: chosen.destination, runtime: chosen.runtime });
  if (chosen.source !== kind.source) wanted.set("source", chosen.source);
  if (chosen.org) wanted.set("org", chosen.org);
  for (const [name, value] of Object.entries(chosen.settings)) wanted.set(name, value);
  return `?${wanted}`;
}
