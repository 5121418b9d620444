// The playground: editors, choices and the address on one side, Python in a worker on the other.

import { javascriptLanguage } from "@codemirror/lang-javascript";
import { jsonLanguage } from "@codemirror/lang-json";
import { inCalls, inSettings } from "./completion.js";
import { Editor } from "./editor.js";
import { exampleCalls, exampleSettings, withPresets } from "./examples.js";
import { locate, locateName } from "./literals.js";
import { Python } from "./python.js";
import { readInput } from "./reading.js";
import { element, showResults, summary } from "./results.js";
import { MAX_FRAGMENT, read, write } from "./state.js";

const MAX_INPUT = 5_000_000; // characters
const MAX_LISTED = 50; // problems under an editor
const REST = 300; // milliseconds without typing before Python is asked, and the address changed

const find = (selector) => document.querySelector(selector);
const { destination: destinations, source: sources } = find("#choices").elements;
const described = () => FACTS.destinations.find(({ name }) => name === destinations.value);
let input = { items: [], problems: [] };
let download = "";

const messages = new Editor(find("#messages"), {
  label: "Messages or page calls",
  extensions: [javascriptLanguage, javascriptLanguage.data.of({ autocomplete: inCalls })],
  changed: soon,
});
const settings = new Editor(find("#settings"), {
  label: "Settings, mappings, triggers",
  extensions: [jsonLanguage, jsonLanguage.data.of({ autocomplete: inSettings(about) })],
  changed: soon,
});
function about() {
  return { destination: described(), messages: input.items.map(({ text }) => text ?? "") };
}

const python = new Python(answered, (text) => {
  say(`Python could not start: ${text}`);
  find("#status").classList.add("problem");
});

// Asking

let timer;
function soon() {
  clearTimeout(timer);
  timer = setTimeout(update, REST);
}

function update() {
  clearTimeout(timer);
  const text = messages.text;
  input = text.length > MAX_INPUT ? tooLong(text) : readInput(text);
  const api = Object.entries(FACTS.apis).find(([, each]) => each.global === input.items[0]?.api)?.[0];
  if (api) sources.value = api; // page calls say whose they are
  keepInAddress();
  const asked = input.items.filter((item) => !strange(item));
  const request = { destination: destinations.value, source: sources.value, settings: settings.text };
  if (input.isJson) request.messages = asked.map(({ line, text }) => [line, text]);
  else request.calls = asked.map(({ line, method, args }) => [line, method, args]);
  python.ask({ request, items: asked, strangers: input.items.filter(strange), problems: input.problems });
  find("#results").ariaBusy = "true";
}

function tooLong(text) {
  const said = `This has ${text.length.toLocaleString("en")} characters; accepted are ${MAX_INPUT.toLocaleString("en")}.`;
  return { items: [], problems: [{ from: 0, to: 0, text: `${said} The command fsbridge map takes files of any size.` }] };
}

/** A call on another API than the first. */
const strange = ({ api }) => Boolean(api) && api !== input.items[0].api;

// Answers

function answered({ items, strangers, problems, request }, answer) {
  find("#results").ariaBusy = String(python.busy);
  if (python.busy) return; // the next answer is of what is there now
  const others = strangers.map((item) => ({ ...item, text: `This page’s calls are on ${items[0].api}, and this one is not.` }));
  const found = answer.results.flatMap((result, index) => problemsOf(items[index], result));
  tell(messages, find("#messages-problems"), [...problems, ...others, ...found]);
  const failed = new Map(answer.results.flatMap((each) => each.problems.map((problem) => [problem.text, problem])));
  const failing = [...failed.values()].filter(({ path }) => path?.length);
  tell(settings, find("#settings-problems"), [...answer.settings, ...failing].map(inTheSettings));
  showResults(find("#results"), items, answer.results, (offset) => messages.go(offset));
  const lines = answer.results.flatMap(({ line }) => (line ? [`${line}\n`] : [])).join("");
  find("#json").textContent = lines;
  offer(lines);
  const wrong = answer.settings.length;
  if (wrong) say(`The settings have ${wrong === 1 ? "a problem" : `${wrong} problems`}: no message goes through them yet.`);
  else say(items.length ? summary(answer.results, request.destination === "segment-cloud") : "No messages yet.");
}

function problemsOf(item, { problems, limits }) {
  const source = messages.text;
  const told = problems.map(({ text, column }) => {
    if (text.includes("its type is")) return { ...locate(source, item.from, ["type"]), text };
    if (column === undefined) return { from: item.from, to: item.to, text };
    const from = item.from + [...item.text].slice(0, column - 1).join("").length;
    return { from, to: from + 1, text };
  });
  const limited = limits.map((text) => {
    const name = /property "(.*?)" is/.exec(text)?.[1];
    const place = name && locateName(source, item.from, name.split(".").at(-1));
    return { from: item.from, to: item.to, ...place, text, severity: "warning" };
  });
  return [...told, ...limited];
}

// The same fields under the names that Segment's Public API has for them.
const PUBLIC_API = { subscribe: "trigger", partnerAction: "actionSlug", mapping: "settings" };

function inTheSettings({ text, path, offset }) {
  const source = settings.text;
  if (offset !== undefined) return { from: offset, to: offset + 1, text };
  const start = /^[\ufeff\s]*/.exec(source)[0].length;
  const spellings = [path, path.slice(1), ["subscription", ...path.slice(2)], ["data", ...path]];
  spellings.push(...spellings.map((each) => each.map((step) => PUBLIC_API[step] ?? step)));
  const places = spellings.map((each) => locate(source, start, each));
  // The spelling that leads deepest is the text's.
  const { from, to } = places.reduce((best, place) => (place.from > best.from ? place : best));
  const name = locateName(source, start, path.at(-1) ?? "");
  return path.length === 1 && name ? { ...name, text } : { from, to, text };
}

/** Mark problems in an editor, and list them under it with their places. */
function tell(editor, list, problems) {
  editor.mark(problems);
  const shown = problems.slice(0, MAX_LISTED).map(({ from, text, severity = "error" }) => {
    const item = element("li", "", severity);
    const place = element("button", editor.place(from), "place");
    place.type = "button";
    place.addEventListener("click", () => editor.go(from));
    item.append(place, element("span", text));
    return item;
  });
  if (problems.length > MAX_LISTED) shown.push(element("li", `${problems.length - MAX_LISTED} more.`));
  list.replaceChildren(...shown);
}

function offer(lines) {
  if (download) URL.revokeObjectURL(download);
  download = lines && URL.createObjectURL(new Blob([lines], { type: "application/jsonl" }));
  find("#download").hidden = !lines;
  find("#download").href = download;
}

function say(text) {
  find("#status").textContent = text;
}

// The address

let kept = "";
function keepInAddress() {
  const fragment = write({
    destination: destinations.value,
    source: sources.value,
    settings: settings.text,
    messages: messages.text,
  });
  find("#copy").disabled = !fragment;
  find("#copy").title = fragment ? "" : `A link holds ${MAX_FRAGMENT.toLocaleString("en")} characters at most.`;
  kept = fragment ?? "";
  if (location.hash !== kept) history.replaceState(null, "", kept || location.pathname + location.search);
}

function takeFromAddress() {
  if (location.hash && location.hash === kept) return;
  const { state, complaint } = read(location.hash);
  find("#complaint").textContent = complaint ?? "";
  find("#complaint").hidden = !complaint;
  destinations.value = state?.destination ?? "segment-actions";
  sources.value = state?.source ?? described().source;
  settings.set(state?.settings ?? exampleSettings(described()));
  messages.set(state?.messages ?? exampleCalls(described()));
  forDestination();
  update();
}

// Choices

let before;
function forDestination() {
  find("#presets").hidden = !described().presets.length;
  before = described();
}

destinations.addEventListener("change", () => {
  const now = described();
  sources.value = now.source;
  if (settings.text === exampleSettings(before) || !settings.text.trim()) settings.set(exampleSettings(now));
  if (messages.text === exampleCalls(before)) messages.set(exampleCalls(now));
  forDestination();
  update();
});
sources.addEventListener("change", update);
find("#example").addEventListener("click", () => {
  messages.set(exampleCalls(described()));
  update();
});
find("#presets").addEventListener("click", () => {
  const text = withPresets(settings.text, described());
  if (text === null) return settings.view.focus();
  settings.set(text);
  update();
});
find("#open").addEventListener("click", () => find("#file").click());
find("#file").addEventListener("change", async ({ target }) => {
  const [file] = target.files;
  if (!file) return;
  messages.set(file.size > MAX_INPUT ? `// ${file.name} is too large for a page: fsbridge map takes it.\n` : await file.text());
  target.value = "";
  update();
});
find("#copy").addEventListener("click", async ({ target }) => {
  update();
  try {
    await navigator.clipboard.writeText(location.href);
    target.textContent = "Copied";
  } catch {
    target.textContent = "It is in the address bar";
  }
  setTimeout(() => (target.textContent = "Copy link"), 1500);
});
document.querySelector(".views").addEventListener("change", ({ target }) => {
  find("#results").hidden = target.value === "json";
  find("#json").hidden = target.value !== "json";
});
addEventListener("hashchange", takeFromAddress);

for (const { name } of FACTS.destinations) destinations.append(new Option(name, name));
for (const [name, { global }] of Object.entries(FACTS.apis)) sources.append(new Option(global, name));
takeFromAddress();
