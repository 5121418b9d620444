// What is in the editor: page calls, or messages as JSON Lines or as one JSON document.

import { readCalls } from "./literals.js";

/**
 * {items: [{from, to, line, …}], problems}: each item has either `text`, a message, or a call's `api`, `method` and
 * `args` (literals.js). A message's text has no line breaks: `line` is where it begins.
 */
export function readInput(text) {
  const isJson = /^[\ufeff\s]*[{[]/.test(text);
  const found = isJson ? { items: messages(text), problems: [] } : pageCalls(text);
  const lineAt = counter(text);
  for (const item of found.items) item.line = lineAt(item.from);
  return { ...found, isJson };
}

function pageCalls(text) {
  const { calls, problems } = readCalls(text);
  return { items: calls, problems };
}

function messages(text) {
  const lines = [...text.matchAll(/[^\n]*\S[^\n]*/g)];
  const beginning = lines.filter(([line]) => line.startsWith("{")).length;
  const isDocument = /^\s*\[/.test(text) || beginning * 2 < lines.length;
  if (isDocument) return document(text);
  return lines.map(({ 0: line, index }) => ({ from: index, to: index + line.length, text: line }));
}

/** The values in a document, or those of the array that it is, however they are broken into lines. */
function document(text) {
  const inside = /^\s*\[/.test(text) ? 1 : 0;
  const found = [];
  let depth = 0;
  let from = -1;
  const end = (to) => {
    if (from >= 0 && text.slice(from, to).trim()) {
      const kept = text.slice(from, to).trimEnd();
      found.push({ from, to: from + kept.length, text: kept.replace(/[\r\n]/g, " ") });
    }
    from = -1;
  };
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\\n]|\\.)*"?|[{}[\],]|[^\s"{}[\],]+/g)) {
    const opens = token === "{" || token === "[";
    const closes = token === "}" || token === "]";
    if (closes) depth--;
    if (closes && depth < inside) {
      end(index); // of the array, or a bracket too many
      depth = Math.max(depth, 0);
    } else if (token === "," && depth === inside) {
      end(index);
    } else {
      if (from < 0 && depth >= inside) from = index;
      if (opens) depth++;
      if (!inside && closes && depth === 0) end(index + 1);
    }
  }
  end(text.length);
  return found;
}

function counter(text) {
  let line = 1;
  let at = 0;
  return (offset) => {
    for (; at < offset; at++) if (text[at] === "\n") line++;
    return line;
  };
}
