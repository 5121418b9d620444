/* The inspector: what the page calls, the messages that come of it, FullStory's calls, and how things stand. */

import "../whole.js";
import { callCode } from "./notation.js";
import { STYLE } from "./style.js";

const MAX_ENTRIES = 300;
const INTERVAL = 500; // milliseconds between looks at how things stand

/*
 * Puts the panel over the page: `tag` is what web/tag/shared.js has. Gives functions that hear of a call of the page
 * (method, args), of a delivered message and its calls on FullStory, and of who tells how things stand, in pairs.
 */
export function show(tag) {
  const host = document.createElement("fsbridge-inspector");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet(); // no style that a page's policy might forbid
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const panel = element("aside");
  panel.setAttribute("aria-label", "fsbridge inspector");
  const facts = element("dl");
  const list = element("ol");
  const clear = button("Clear", () => list.replaceChildren());
  const close = button("Close", () => host.remove());
  const head = element("header");
  head.append(element("strong", `fsbridge ${tag.state.version}`), clear, close);
  const body = element("div", "", "body");
  body.tabIndex = 0; // it scrolls
  body.append(facts, list);
  panel.append(head, body);
  root.append(panel);
  document.body.append(host);

  const add = (kind, name, args) => {
    const details = element("details");
    const summary = element("summary");
    summary.append(element("span", kind, "kind"), callCode(name, args), element("time", time()));
    const pre = element("pre");
    pre.tabIndex = 0;
    pre.append(callCode(name, args, true));
    details.append(summary, pre);
    const item = element("li", "", kind);
    item.append(details);
    list.prepend(item);
    if (list.childElementCount > MAX_ENTRIES) list.lastChild.remove();
  };
  return {
    pageCalled: (method, args) => add("page", `${tag.global}.${method}`, args),
    delivered(message, calls) {
      add("message", message.type, [message]);
      for (const [method, ...args] of calls) add("FullStory", method ? `FS.${method}` : "FS", args);
    },
    follow(tell) {
      const look = () => {
        const pairs = [...tell(), ["status", tag.state.status], ["dropped", tag.state.dropped]];
        const shown = new Map(pairs.map(([name, value]) => [name, `${value}`])); // the last of a name counts
        const terms = [...shown].flatMap(([name, value]) => [element("dt", name), element("dd", value)]);
        if (facts.textContent !== terms.map(({ textContent }) => textContent).join("")) facts.replaceChildren(...terms);
      };
      look();
      const timer = setInterval(() => (host.isConnected ? look() : clearInterval(timer)), INTERVAL);
    },
  };
}

const time = () => `${(performance.now() / 1000).toFixed(2)} s`;

function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function button(text, act) {
  const made = element("button", text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}
