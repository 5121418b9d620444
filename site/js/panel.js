// The developer panel: choices, status, the page's tag, and a list of calls.

import * as choices from "./choices.js";
import * as fsjs from "./fsjs.js";
import * as fullstory from "./fullstory.js";
import { callCode } from "./notation.js";
import { settingsForm } from "./settings.js";
import { playgroundAddress, tagHtml } from "./tag.js";

const find = (selector) => document.querySelector(selector);
const api = choices.SOURCES[choices.source];

export function startPanel() {
  stayAsItWas();
  fillChoices();
  settingsForm(find("#settings"), find("#settings-note"));
  find("#tag").textContent = tagHtml();
  find("#copy").addEventListener("click", async ({ target }) => {
    await navigator.clipboard.writeText(tagHtml());
    target.textContent = "Copied";
    setTimeout(() => (target.textContent = "Copy"), 1500);
  });
  find("#clear").addEventListener("click", () => {
    find("#calls").replaceChildren();
    undelivered.clear();
    count();
  });
  ownCall();
  choices.complaints.forEach(notice);
}

/** Keep what is open open when a choice loads the page again. */
function stayAsItWas() {
  const drawers = [...document.querySelectorAll(".drawer")];
  const { panel = false, open = [] } = JSON.parse(sessionStorage.getItem("panel") ?? "{}");
  const handle = find("#handle");
  const expand = (yes) => {
    document.body.classList.toggle("panel-open", yes); // narrow screens only: see panel.css
    handle.setAttribute("aria-expanded", yes);
  };
  const keep = () => {
    const now = {
      panel: document.body.classList.contains("panel-open"),
      open: drawers.filter((drawer) => drawer.open).map(({ id }) => id),
    };
    sessionStorage.setItem("panel", JSON.stringify(now));
  };
  expand(panel);
  for (const drawer of drawers) drawer.open = open.includes(drawer.id);
  handle.addEventListener("click", () => {
    expand(!document.body.classList.contains("panel-open"));
    keep();
  });
  for (const drawer of drawers) drawer.addEventListener("toggle", keep);
}

/** Show what fsbridge writes to the console as warnings and errors; of a blocked fs.js the panel says more itself. */
export function heed(console) {
  for (const level of ["warn", "error"]) {
    const original = console[level];
    console[level] = (...words) => {
      original.apply(console, words);
      const text = words.map(String).join(" ");
      if (text.startsWith("[fsbridge] ") && !text.includes("FullStory is blocked")) notice(text.slice("[fsbridge] ".length));
    };
  }
}

function notice(text) {
  const notices = find("#notices");
  if ([...notices.children].some((each) => each.textContent === text) || text === find("#problem").textContent) return;
  notices.append(element("p", text));
}

function fillChoices() {
  const form = find("#choices");
  const names = choices.DESTINATIONS.map(({ name }) => [name, name]);
  options(form.elements.destination, names, choices.destination.name);
  options(form.elements.runtime, Object.entries(choices.RUNTIMES), choices.runtime);
  options(form.elements.source, Object.entries(choices.SOURCES), choices.source);
  form.addEventListener("change", ({ target }) => {
    location.href = choices.addressWith({ [target.name]: target.value });
  });
}

function options(select, pairs, chosen) {
  select.replaceChildren(...pairs.map(([value, text]) => new Option(text, value, false, value === chosen)));
}

// Status

/** Show how the bridge is; `inserted` is when the tag was put into the page, in milliseconds. */
export function showStatus(bridge, inserted) {
  let boot = "starting …";
  const show = () => {
    const status = find("#status");
    if (status.dataset.status !== bridge.status) {
      status.textContent = status.dataset.status = bridge.status;
      if (bridge.status === "blocked") trouble(fsjs.whyBlocked());
      else if (bridge.status !== "failed") trouble("");
    }
    facts([
      ["fsbridge.status", `"${bridge.status}"`],
      ["Python", `${choices.RUNTIMES[choices.runtime]}, ${boot}`],
      ["fs.js", choices.org ? own(bridge.status) : standIn()],
      ...(bridge.dropped ? [["lost", `${bridge.dropped} calls, which nothing could keep`]] : []),
    ]);
    showDelivery(bridge.status);
  };
  bridge.ready.then(
    () => (boot = `live after ${duration(performance.now() - inserted)}`),
    (error) => {
      boot = "not running";
      trouble(error.message);
    },
  );
  show();
  setInterval(show, 100);
}

/** Say what is wrong, in the panel and at the chip; an empty text when nothing is. */
function trouble(text) {
  const problem = find("#problem");
  problem.textContent = find("#status").title = text;
  problem.hidden = !text;
}

function own(status) {
  const state = { blocked: ", blocked", failed: "" }[status] ?? (fsjs.isThere() ? "" : ", not there yet");
  return `FullStory’s own, org ${choices.org}${state}`;
}

function standIn() {
  const taken = fullstory.received ? `it has taken ${fullstory.received} operations` : "not loaded yet";
  return `local stand-in, ${taken}; nothing is sent`;
}

let shown = "";
function facts(pairs) {
  if (shown === (shown = String(pairs))) return;
  find("#facts").replaceChildren(...pairs.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
}

// Calls

const items = new Map(); // entry → its list item
const undelivered = new Set(); // FullStory calls that fs.js hasn't got
const DELIVERY = { delivered: "delivered", waiting: "waiting for fs.js", blocked: "not delivered" };

/** Show a call of the page, or what is new about it. */
export function showCall(entry) {
  const item = element("li");
  if (entry.name) item.append(explained(entry, expandable(entry, element("span", time(entry), "time"))));
  if (entry.fullstory.length) {
    const came = element("ul");
    for (const call of entry.fullstory) {
      const line = element("li");
      call.label ??= newLabel(call);
      line.append(expandable(call, call.label));
      came.append(line);
    }
    item.append(came);
  } else if (entry.done) {
    item.append(element("p", nothing(entry), "hint"));
  }
  const before = items.get(entry);
  items.set(entry, item);
  if (before) before.replaceWith(item);
  else find("#calls").prepend(item);
  showDelivery(window.fsbridge.status);
}

/** A link to the playground, with this call and these settings. */
function explained({ name, args }, details) {
  const why = element("a", "Why did this call become that?", "why");
  why.href = playgroundAddress(callCode(name, args, true).textContent);
  details.append(why);
  return details;
}

function newLabel(call) {
  undelivered.add(call);
  return element("span", "", "delivery");
}

/** Say of each FullStory call whether fs.js has got it. */
function showDelivery(status) {
  const state = fsjs.isThere() ? "delivered" : status === "blocked" ? "blocked" : "waiting";
  for (const { label } of undelivered) {
    if (label.dataset.state === state) continue;
    label.dataset.state = state;
    label.textContent = DELIVERY[state];
  }
  if (state === "delivered") undelivered.clear();
  count();
}

function expandable({ name, args }, ...more) {
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  summary.append(callCode(name, args), ...more);
  const pre = document.createElement("pre");
  pre.tabIndex = 0; // it scrolls
  pre.append(callCode(name, args, true));
  details.append(summary, pre);
  return details;
}

function time({ done, queued, fullstory, wait }) {
  if (!done) return "waiting for Python …";
  if (queued) return `queued ${duration(wait)}`;
  return fullstory.length ? duration(wait) : "";
}

function nothing({ name }) {
  const status = window.fsbridge.status;
  if (status === "failed") return "Not delivered: fsbridge isn’t running.";
  const method = name.split(".")[1];
  if (["track", "identify", "page"].includes(method)) {
    return "No FullStory call: with its present settings this destination sends none.";
  }
  return "No FullStory call: this is between the page and the analytics API.";
}

function duration(milliseconds) {
  if (milliseconds < 0.1) return "under 0.1 ms";
  return milliseconds < 10 ? `${milliseconds.toFixed(1)} ms` : `${Math.round(milliseconds)} ms`;
}

function count() {
  const calls = find("#calls").childElementCount;
  find("#no-calls").hidden = calls > 0;
  const missing = `${undelivered.size} undelivered`;
  find("#sum").textContent = undelivered.size ? missing : calls === 1 ? "1 call" : `${calls} calls`;
}

// A call of one's own

const EXAMPLES = {
  track: '["Product Purchased", {"order_ID": "2969302398", "price": 99.95, "currency": "EUR"}]',
  identify: '["userId123", {"plan": "premium", "logins": 5}]',
  page: '["Shop", "Boots", {"colour": "yellow"}]',
  group: '["group-1", {"name": "Walkers"}]',
  alias: '["new-id", "old-id"]',
  setAnonymousId: '["visitor-1"]',
  reset: "[]",
};

function ownCall() {
  const form = find("#own");
  const { method, arguments: text } = form.elements;
  const problem = form.querySelector(".problem");
  find("#own-api").textContent = `${api}.`;
  options(method, Object.keys(EXAMPLES).map((name) => [name, name]), "track");
  const example = () => (text.value = EXAMPLES[method.value]);
  method.addEventListener("change", example);
  example();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    let args;
    try {
      args = JSON.parse(text.value || "[]");
    } catch (error) {
      problem.textContent = `This isn’t JSON: ${error.message}`;
    }
    if (args && !Array.isArray(args)) problem.textContent = "Put the arguments into a list: […]";
    problem.hidden = Array.isArray(args);
    if (problem.hidden) window[api][method.value](...args);
  });
}

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
