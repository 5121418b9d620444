// What can be completed: settings, subscriptions, actions' fields, mapping directives, paths, triggers; methods of APIs.

import { syntaxTree } from "@codemirror/language";

const SUBSCRIPTION = {
  name: "what it is called",
  enabled: "true or false",
  subscribe: "the trigger, in FQL",
  partnerAction: "the action",
  mapping: "the action’s fields",
};
const INSIDE = {
  "@if": ["exists", "blank", "then", "else"],
  "@case": ["operator", "value"],
  "@replace": ["pattern", "replacement", "value", "ignorecase", "global"],
  "@json": ["mode", "value"],
  "@flatten": ["separator", "value"],
  "@merge": ["direction", "objects"],
  "@transform": ["apply", "mapping"],
};
const WORDS = {
  operator: ["lower", "upper"],
  mode: ["encode", "decode"],
  direction: ["left", "right"],
};
const TYPES = ["track", "identify", "page", "screen", "group", "alias"];
const PATHS = ["event", "name", "category", "userId", "anonymousId", "traits", "properties", "timestamp", "messageId", "context"];

/** A source of completions for the settings; `about()` gives {destination, messages}: its description, and texts. */
export const inSettings = (about) => (context) => {
  const place = placeAt(context.state, context.pos);
  if (!place || (!place.quoted && !context.explicit)) return null;
  const { destination } = about();
  const options = place.isKey ? keysFor(place.path, destination) : valuesFor(place, destination, about().messages);
  if (!options?.length) return null;
  if (!place.isKey && place.path.at(-1) === "subscribe" && place.quoted) {
    const word = context.matchBefore(/[\w.]*/);
    return { from: word.from, options, validFor: /^[\w.]*$/ };
  }
  return { from: place.from, to: place.to, options: place.quoted ? options : options.map(quoted), validFor: /^[^"]*$/ };
};

/** A source of completions for page calls. */
export const inCalls = (context) => {
  const before = context.matchBefore(/\b(rudderanalytics|analytics)\.\w*/);
  if (before) {
    const api = Object.values(FACTS.apis).find((each) => before.text.startsWith(`${each.global}.`));
    const options = api.methods.map((label) => ({ label, type: "method", apply: `${label}(` }));
    return { from: before.from + api.global.length + 1, options, validFor: /^\w*$/ };
  }
  const word = context.matchBefore(/^[a-z]+/);
  if (!word) return null;
  return { from: word.from, options: Object.values(FACTS.apis).map((each) => ({ label: `${each.global}.` })) };
};

const quoted = (option) => ({ ...option, apply: `"${option.apply ?? option.label}"` });

/** Where in a JSON text an offset is: {path, isKey, quoted, from, to}; the path leads to what is being written. */
function placeAt(state, pos) {
  let node = syntaxTree(state).resolveInner(pos, -1);
  const text = (each) => state.sliceDoc(each.from, each.to);
  const isText = ["PropertyName", "String"].includes(node.name) || (node.name === "⚠" && text(node).startsWith('"'));
  const place = { path: [], quoted: isText, from: pos, to: pos, isKey: node.name === "PropertyName" };
  if (isText) {
    const whole = text(node);
    place.from = node.from + 1;
    place.to = whole.length > 1 && whole.endsWith('"') ? node.to - 1 : node.to;
    if (pos < place.from || pos > place.to) return null;
  } else if (node.name === "Object") place.isKey = true;
  for (let child = null; node; child = node, node = node.parent) {
    if (node.name === "Property" && !(place.isKey && child?.name === "PropertyName")) {
      const key = node.getChild("PropertyName");
      if (key) place.path.unshift(text(key).slice(1, -1));
    } else if (node.name === "Array") {
      let index = 0;
      for (let each = node.firstChild; each && each.from < (child?.from ?? pos); each = each.nextSibling) {
        if (!["[", "]", ",", "⚠"].includes(each.name)) index++;
      }
      place.path.unshift(index);
    }
  }
  if (place.path[0] === "subscription") place.path.splice(0, 1, "subscriptions", 0);
  if (typeof place.path[0] === "number") place.path.unshift("subscriptions");
  return place;
}

const keys = (labels, more = {}) => labels.map((label) => ({ label, type: "property", ...more }));
const directives = () => FACTS.directives.map((label) => ({ label, type: "keyword", detail: "directive", boost: -1 }));

function keysFor(path, destination) {
  if (!path.length) return destination.settings.map((each) => ({ label: each.name, type: "property", info: each.meaning }));
  if (path[0] !== "subscriptions") return [];
  if (path.length === 2) {
    return Object.entries(SUBSCRIPTION).map(([label, detail]) => ({ label, type: "property", detail }));
  }
  if (path[2] !== "mapping") return [];
  if (INSIDE[path.at(-1)]) return keys(INSIDE[path.at(-1)]);
  const fields = path.length === 3 ? [...new Set(Object.values(destination.actions).flat())] : [];
  return [...keys(fields, { detail: "field" }), ...directives()];
}

function valuesFor(place, destination, messages) {
  const name = place.path.at(-1);
  const inside = place.path.at(-2);
  if (place.path[0] === "subscriptions" && place.path.length === 3) {
    if (name === "partnerAction") return keys(Object.keys(destination.actions), { type: "function" });
    if (name === "subscribe") return place.quoted ? trigger(messages) : [{ label: "type = \\\"track\\\"" }];
    if (name === "enabled") return [];
  }
  if (WORDS[name] && INSIDE[inside]) return keys(WORDS[name], { type: "enum" });
  if (name === "@template") return paths(messages).map((path) => ({ label: `{{${path}}}`, type: "variable" }));
  if (name === "@path" || name === "@arrayPath" || inside === "@arrayPath") {
    return paths(messages).map((path) => ({ label: `$.${path}`, type: "variable" }));
  }
  return [];
}

function trigger(messages) {
  const { fields, bags, functions } = FACTS.fql;
  const found = paths(messages).filter((path) => bags.some((bag) => path.startsWith(`${bag}.`)));
  return [
    ...keys([...fields, ...bags.map((bag) => `${bag}.`), ...found], { type: "variable" }),
    ...keys(["and", "or", "not"], { type: "keyword" }),
    ...functions.map((label) => ({ label, type: "function", apply: `${label}(` })),
    ...TYPES.map((label) => ({ label, type: "enum", apply: `\\"${label}\\"`, detail: "type" })),
  ];
}

const MAX_LOOKED_AT = 20; // messages

/** The paths that there are in the messages, after those of every message. */
function paths(messages) {
  const found = new Set(PATHS);
  for (const text of messages.slice(0, MAX_LOOKED_AT)) {
    try {
      collect(JSON.parse(text), "", found);
    } catch {
      // no message
    }
  }
  return [...found];
}

function collect(value, path, found) {
  if (typeof value !== "object" || value === null || Array.isArray(value) || path.split(".").length > 4) return;
  for (const [key, item] of Object.entries(value)) {
    if (!/^\w+$/.test(key)) continue;
    found.add(path + key);
    collect(item, `${path}${key}.`, found);
  }
}
