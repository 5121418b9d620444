// Starts the demo: watches, writes the tag, and runs the shop and the panel.

import { Calls } from "./calls.js";
import { org, source, SOURCES } from "./choices.js";
import { stayHere, watchFullStory } from "./fullstory.js";
import { heed, showCall, showStatus, startPanel } from "./panel.js";
import { startShop } from "./shop.js";
import { tagElement } from "./tag.js";

const name = SOURCES[source];
const calls = new Calls(showCall);
const tag = tagElement();

if (!org) stayHere();
watchFullStory(!org, (...call) => calls.heard(...call));
startPanel();
heed(window.console);

const inserted = performance.now();
tag.addEventListener("load", () => {
  showStatus(window.fsbridge, inserted);
  calls.watch(name, window.fsbridge);
  startShop(window[name]);
});
document.head.append(tag);
