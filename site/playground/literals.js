// Reads page calls and finds places in JSON, with a JavaScript parser and without running anything.

import { parseExpressionAt } from "acorn";

const OPTIONS = { ecmaVersion: "latest" };
const BETWEEN = /(?:\s|;|\/\/[^\n]*|\/\*[^]*?\*\/)*/y; // calls: white space, semicolons, comments
const NEXT = /^[ \t]*(?:(?:window|globalThis)\s*\.\s*)?(?:rudder)?analytics\s*\./gm;
const NUMBERS = { NaN: "nan", Infinity: "inf" };

class Unreadable extends Error {
  constructor(node, message) {
    super(message);
    this.from = node.start;
    this.to = node.end;
  }
}

/**
 * The calls in a text: {calls: [{from, to, api, method, args}], problems: [{from, to, text}]}. `args` are as the page's
 * Python reads them: objects, and what JSON can't hold, are {is: kind, of: …}.
 */
export function readCalls(text) {
  const calls = [];
  const problems = [];
  let at = 0;
  for (;;) {
    BETWEEN.lastIndex = at;
    BETWEEN.test(text);
    at = BETWEEN.lastIndex;
    if (at >= text.length) return { calls, problems };
    let node;
    try {
      node = parseExpressionAt(text, at, OPTIONS);
      calls.push(call(node));
      at = node.end;
    } catch (error) {
      const from = error.from ?? Math.min(error.pos ?? at, text.length);
      problems.push({ from, to: error.to ?? from, text: error.message.replace(/ \(\d+:\d+\)$/, "") });
      if (node) {
        at = node.end;
        continue;
      }
      NEXT.lastIndex = at + 1;
      const next = NEXT.exec(text);
      if (!next) return { calls, problems };
      at = next.index;
    }
  }
}

function call(node) {
  const { type, callee } = node;
  let api = callee?.object;
  if (api?.type === "MemberExpression" && ["window", "globalThis"].includes(api.object.name)) api = api.property;
  const known = Object.values(FACTS.apis).map((each) => each.global);
  if (type !== "CallExpression" || callee.type !== "MemberExpression" || callee.computed || !known.includes(api.name)) {
    throw new Unreadable(node, `This is no call such as ${known[0]}.track("Clicked", {…}).`);
  }
  return { from: node.start, to: node.end, api: api.name, method: callee.property.name, args: node.arguments.map(value) };
}

function value(node) {
  switch (node?.type) {
    case "Literal":
      if (node.bigint !== undefined) return { is: "bigint", of: node.bigint };
      if (!node.regex) return typeof node.value === "number" ? number(node.value) : node.value;
      break;
    case "TemplateLiteral":
      if (!node.expressions.length) return node.quasis[0].value.cooked;
      break;
    case "ArrayExpression":
      if (!node.elements.some((each) => each?.type === "SpreadElement")) {
        return node.elements.map((each) => (each ? value(each) : { is: "undefined" }));
      }
      break;
    case "ObjectExpression":
      return { is: "object", of: [...new Map(node.properties.map(property))] };
    case "Identifier":
      if (node.name === "undefined") return { is: "undefined" };
      if (node.name in NUMBERS) return { is: "number", of: NUMBERS[node.name] };
      break;
    case "UnaryExpression":
      if (node.operator === "-") return negative(node);
      break;
    case "NewExpression":
      if (node.callee.name === "Date") return date(node);
  }
  const said = node?.type === "FunctionExpression" || node?.type === "ArrowFunctionExpression" ? "a function" : "this";
  throw new Unreadable(node, `Only plain values can be read here, and ${said} would have to be run.`);
}

function property(node) {
  if (node.type !== "Property" || node.computed || node.kind !== "init") value(node); // refuses it
  return [String(node.key.name ?? node.key.value), value(node.value)];
}

function number(given) {
  return Number.isFinite(given) ? given : { is: "number", of: "inf" };
}

function negative(node) {
  const inner = value(node.argument);
  if (typeof inner === "number") return inner === 0 ? { is: "number", of: "-0.0" } : -inner;
  if (inner?.is === "number" || inner?.is === "bigint") return { is: inner.is, of: `-${inner.of}` };
  throw new Unreadable(node, "Only a number can be negative.");
}

function date(node) {
  const [first, ...more] = node.arguments.map(value);
  if (more.length) throw new Unreadable(node, "Write the date as one text: new Date(\"2024-03-05T10:00:00Z\").");
  const given = first === undefined ? Date.now() : typeof first === "object" ? NaN : new Date(first).getTime();
  return { is: "date", of: Number.isNaN(given) ? null : given };
}

/** Where in a text with JSON, which begins at `start`, the value at `path` is, or the nearest there is around it. */
export function locate(text, start, path) {
  let node;
  try {
    node = parseExpressionAt(text, start, OPTIONS);
  } catch {
    return { from: start, to: start };
  }
  let found = node;
  for (const step of path) {
    if (node?.type === "ArrayExpression") node = node.elements[step];
    else if (node?.type === "ObjectExpression") node = named(node, step)?.value;
    else break;
    if (!node) break;
    found = node;
  }
  // An object or array as a whole is too much to underline: its first character says where it is.
  const { type, start: from, end } = found;
  return { from, to: type === "ObjectExpression" || type === "ArrayExpression" ? from + 1 : end };
}

/** Where the property called `name` is, anywhere in the value that begins at `start`; null where there is none. */
export function locateName(text, start, name) {
  let node;
  try {
    node = parseExpressionAt(text, start, OPTIONS);
  } catch {
    return null;
  }
  const waiting = [node];
  while (waiting.length) {
    const { key, properties, elements, arguments: args, value: held } = waiting.shift();
    if (key && String(key.name ?? key.value) === name) return { from: key.start, to: key.end };
    waiting.push(...[...(properties ?? []), ...(elements ?? []), ...(args ?? []), held].filter((each) => each?.type));
  }
  return null;
}

function named(node, name) {
  return node.properties.findLast(({ key }) => (key?.name ?? key?.value) === name);
}
