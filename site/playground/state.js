// What the page's address holds in its fragment: #destination=…&source=…&settings=…&messages=…

export const MAX_FRAGMENT = 50_000; // characters
const FIELDS = ["destination", "source", "settings", "messages"];

/** The fields in a fragment, or what is wrong with it: {state} or {complaint}. */
export function read(fragment) {
  const text = fragment.replace(/^#/, "");
  if (!text) return { state: {} };
  if (text.length > MAX_FRAGMENT) {
    return { complaint: `This link holds ${count(text.length)} characters; accepted are ${count(MAX_FRAGMENT)}.` };
  }
  const state = {};
  for (const part of text.split("&")) {
    const [name, ...value] = part.split("=");
    if (!FIELDS.includes(name) || !value.length) {
      return { complaint: `This link has “${shorten(part)}”; known are ${FIELDS.map((each) => each + "=…").join(", ")}.` };
    }
    try {
      state[name] = decodeURIComponent(value.join("="));
    } catch {
      return { complaint: `This link was cut off or damaged: what follows “${name}=” can’t be read.` };
    }
  }
  for (const [name, known] of [
    ["destination", FACTS.destinations.map((each) => each.name)],
    ["source", Object.keys(FACTS.apis)],
  ]) {
    if (name in state && !known.includes(state[name])) {
      return { complaint: `This link has the ${name} “${shorten(state[name])}”; known are ${known.join(", ")}.` };
    }
  }
  return { state };
}

/** The fragment that holds these fields; null when it would be too long. */
export function write(state) {
  const fragment = FIELDS.map((name) => `${name}=${encodeURIComponent(wellFormed(state[name]))}`).join("&");
  return fragment.length > MAX_FRAGMENT ? null : `#${fragment}`;
}

// Half a character has no place in an address.
const wellFormed = (text) => text.replace(/\p{Surrogate}/gu, "\ufffd");
const count = (number) => number.toLocaleString("en");
const shorten = (text) => (text.length > 40 ? `${text.slice(0, 39)}…` : text);
