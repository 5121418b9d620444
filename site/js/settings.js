// The form for a destination's settings, made from the table of settings.

import { addressWith, destination, org, settings } from "./choices.js";
import { EXAMPLES } from "./examples.js";

/** Fill `form` with a field for each setting; `note` says how many are set. */
export function settingsForm(form, note) {
  const others = destination.settings.filter((each) => each.name !== destination.org);
  const count = Object.keys(settings).length;
  note.textContent = `${destination.name}${count ? `, ${count} changed` : ""}`;

  const meaning = "your FullStory org id. Empty: a stand-in on this page plays FullStory, and nothing is sent";
  const orgField = field({ name: "org", accepts: "text", meaning }, org);
  const problem = document.createElement("p");
  problem.className = "problem";
  problem.role = "alert";
  problem.hidden = true;
  const apply = document.createElement("button");
  apply.className = "button small";
  apply.textContent = "Reload with these settings";
  form.replaceChildren(orgField, ...others.map((each) => field(each, settings[each.name])), problem, apply);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = {};
    for (const setting of others) {
      const input = form.elements.namedItem(setting.name);
      let value = valueOf(input);
      if (input.type === "textarea" && value) {
        try {
          value = JSON.stringify(JSON.parse(value));
        } catch (error) {
          problem.textContent = `${setting.name} isn’t JSON: ${error.message}`;
          problem.hidden = false;
          return input.focus();
        }
      }
      if (value !== textOf(setting.default, setting.accepts)) chosen[setting.name] = value;
    }
    location.href = addressWith({ org: form.elements.namedItem("org").value.trim(), settings: chosen });
  });
}

/** A labelled field: a checkbox for a boolean, a large one for JSON. `given` is a text or undefined. */
function field(setting, given) {
  const value = given ?? textOf(setting.default, setting.accepts);
  const json = setting.accepts === "list" || setting.accepts === "object";
  const input = document.createElement(json ? "textarea" : "input");
  input.name = input.id = setting.name;
  if (setting.accepts === "boolean") {
    input.type = "checkbox";
    input.checked = value === "true";
  } else {
    input.value = json ? pretty(value) : value;
    input.spellcheck = false;
  }
  const label = document.createElement("label");
  label.className = setting.accepts;
  const about = document.createElement("span");
  const name = document.createElement("code");
  name.textContent = setting.name;
  const type = document.createElement("small");
  type.textContent = json ? `${setting.accepts}, as JSON` : setting.accepts;
  const meaning = document.createElement("span");
  meaning.className = "meaning";
  meaning.textContent = setting.meaning;
  about.append(name, type, meaning);
  label.append(about, input);
  return EXAMPLES[setting.name] ? withExample(label, input, EXAMPLES[setting.name]) : label;
}

/** A field with an example: seen while it is empty, and put into it by a button. */
function withExample(label, input, example) {
  input.placeholder = JSON.stringify(example, null, 2);
  input.rows = Math.min(18, input.placeholder.split("\n").length);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet example";
  button.textContent = "Start from this example";
  button.addEventListener("click", () => {
    input.value = input.placeholder;
    input.focus();
  });
  const show = () => (button.hidden = Boolean(input.value));
  input.addEventListener("input", show);
  button.addEventListener("click", show);
  show();
  const both = document.createElement("div");
  both.append(label, button);
  return both;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // empty, or a mistake to be mended
  }
}

const valueOf = (input) => (input.type === "checkbox" ? String(input.checked) : input.value.trim());

/** A default as the form and the address write it. */
function textOf(value, accepts) {
  if (accepts === "boolean") return String(Boolean(value));
  return value === null || value === undefined ? "" : String(value);
}
