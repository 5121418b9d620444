// Shows what came of the messages: as code, or as the lines that `fsbridge map` prints.

import { callCode } from "../../web/inspector/notation.js";

const MAX_SHOWN = 1000; // messages; all are in the JSON and in the download

/** Fill `list` with the results; `items` are what they are of, `go(offset)` shows a place in the editor. */
export function showResults(list, items, results, go) {
  const shown = results.slice(0, MAX_SHOWN).map((result, index) => resultItem(items[index], result, go));
  if (results.length > MAX_SHOWN) {
    const more = results.length - MAX_SHOWN;
    shown.push(element("li", `${more.toLocaleString("en")} more are in the JSON and in the download.`, "hint"));
  }
  list.replaceChildren(...shown);
}

function resultItem(item, { line, problems, limits, messages }, go) {
  const row = element("li", "", "result");
  const parsed = line ? JSON.parse(line) : {};
  const head = element("div", "", "result-head");
  const place = element("button", `line ${item.line}`, "place");
  place.type = "button";
  place.addEventListener("click", () => go(item.from));
  head.append(place, element("span", about(item), "about"));
  row.append(head);
  const made = parsed.calls ?? parsed.requests ?? [];
  for (const each of made) row.append(each.call ? shownCall(each) : shownRequest(each));
  if (!made.length && !problems.length) row.append(element("p", "No call.", "hint"));
  for (const { text } of problems) row.append(element("p", text, "problem"));
  for (const text of limits) row.append(element("p", text, "limit"));
  for (const message of messages) row.append(shownMessage(message));
  return row;
}

/** What a message or a call is, in a few words. */
function about({ text, api, method, args }) {
  if (api) return `${api}.${method}${typeof args[0] === "string" ? ` ${args[0]}` : ""}`;
  try {
    const message = JSON.parse(text);
    const name = message.event ?? message.name ?? message.userId ?? "";
    return `${message.type ?? ""} ${typeof name === "string" ? name : ""}`.trim();
  } catch {
    return "";
  }
}

function shownCall({ call, args }) {
  const pre = element("pre", "", "call");
  pre.tabIndex = 0; // it scrolls
  pre.append(callCode(call, args.map(untagged), true));
  return pre;
}

function shownRequest({ method, path, headers, json }) {
  const pre = element("pre", "", "call");
  pre.tabIndex = 0;
  const lines = [`${method} ${path}`, ...Object.entries(headers).map((pair) => pair.join(": "))];
  pre.append(element("code", `${lines.join("\n")}\n\n${json === null ? "" : JSON.stringify(json, null, 2)}`));
  return pre;
}

function shownMessage(message) {
  const details = element("details");
  const pre = element("pre", JSON.stringify(JSON.parse(message), null, 2));
  pre.tabIndex = 0;
  details.append(element("summary", "The message between"), pre);
  return details;
}

const TAGS = {
  $date: (text) => new Date(text),
  $undefined: () => undefined,
  $number: Number,
  $bigint: BigInt,
};

/** A value of which JSON held what it could: see `fsbridge map --help`. */
function untagged(value) {
  if (Array.isArray(value)) return value.map(untagged);
  if (typeof value !== "object" || value === null) return value;
  const [[name, held] = [], ...more] = Object.entries(value);
  if (!more.length && Object.hasOwn(TAGS, name)) {
    try {
      return TAGS[name](held);
    } catch {
      return value; // a property of that name
    }
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, untagged(item)]));
}

/** All in a sentence. */
export function summary(results, isCloud) {
  const calls = results.map(({ line }) => (line ? (JSON.parse(line).calls ?? JSON.parse(line).requests) : []));
  const silent = results.filter(({ line }, index) => line && !calls[index].length).length;
  const wrong = results.filter(({ problems }) => problems.length).length;
  const limited = results.filter(({ limits }) => limits.length).length;
  const number = calls.reduce((sum, { length }) => sum + length, 0);
  return [
    `${count(results.length, "message")}: ${count(number, isCloud ? "request" : "call")}`,
    silent && `${silent.toLocaleString("en")} without any`,
    wrong && `${wrong.toLocaleString("en")} with problems`,
    limited && `${limited.toLocaleString("en")} beyond FullStory’s limits`,
  ]
    .filter(Boolean)
    .join(", ");
}

const count = (number, what) => `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;

export function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
