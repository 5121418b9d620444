/*
 * fsbridge: the one tag a page includes.
 *
 *   <script src="/fsbridge/fsbridge.js" data-destination="segment-classic" data-org="o-1ABC-na1"></script>
 *
 * Where a vendor's snippet or SDK is on the page it hangs itself into that (beside.js). Where none is, it stands in at once
 * for window.analytics (or window.rudderanalytics), and queues calls, with the page and time of each; should the vendor's
 * come later, it gives way. Then it boots the Python interpreter; with that comes web/live, which drains the queue in
 * order, and from then on a call runs synchronously: page call, Python, FullStory call, in one tick. What FullStory hasn't
 * got yet when the page is left waits in localStorage for the next page.
 */

import { wanted } from "./apis.js";
import { data, source } from "./attributes.js";
import { follow, hang, inspect, isVendors } from "./beside.js";
import { listen } from "./consent.js";
import { CALL } from "./entries.js";
import { awaitLoad, drop, mayBegin, mayFetch, note, until, watch } from "./gate.js";
import { interpreter } from "./interpreters.js";
import { watchLeaving } from "./leaving.js";
import { Promise, pause } from "./natives.js";
import { moment } from "./page.js";
import { isCarried } from "./queue.js";
import { say } from "./say.js";
import { queue, shared, state } from "./shared.js";
import { standIn } from "./standin.js";
import { tab } from "./tab.js";

// What a method gives while it waits is `chain`, or a promise of the result.
function take(method, args, when, chain) {
  if (shared.give) return shared.give(method, args);
  if (shared.isOpen && !when) return shared.call(method, args);
  note(method, args);
  const result = new Promise((resolve) => {
    const entry = { kind: CALL, method, args, moment: when || moment(), resolve };
    if (shared.isGranted === false && isCarried(entry)) return drop(resolve);
    queue.add(entry);
    if (state.status === "failed") resolve(); // nobody waits for ever
  });
  if (shared.isLeft) shared.leave();
  return chain || result;
}

async function boot() {
  await until(mayFetch);
  const coming = interpreter();
  // Not awaited: what is coming may fail at once.
  until(mayBegin)
    .then(pause)
    .then(() => mayBegin() && (tab.name || tab.enter()));
  const start = await coming;
  await until(mayBegin);
  await start();
}

let isBegun = false;
const begin = () => {
  if (isBegun) return;
  isBegun = true;
  shared.retry = null;
  boot().catch((error) => {
    shared.retry = () => begin((isBegun = false));
    shared.refuse(error);
  });
};
shared.take = take;
/* A vendor's SDK has been loaded, as the page wants it. */
shared.boot = () => {
  note("load", []);
  begin();
};

if (window.fsbridge?.ready) {
  say("the tag is here twice");
} else {
  window.fsbridge = state;
  watch();
  watchLeaving();
  state.attach = hang;
  const replaces = "replace" in data;
  const found = wanted(source).find(([, global]) => isVendors(window[data.global || global]));
  if (!replaces && ("beside" in data || found)) {
    const [[, global]] = wanted(source);
    shared.isNear = shared.isBeside = true;
    awaitLoad();
    follow(data.global || global);
  } else {
    for (const [name, global, methods] of wanted(source)) {
      const give = () => {
        shared.isBeside = true;
        shared.give = (method, args) => window[global][method](...args);
        queue.release();
        const calls = shared.sent();
        for (const entry of queue.takeAll())
          entry.kind === CALL ? calls.push([entry.method, ...entry.args]) : queue.add(entry);
        return calls;
      };
      shared.objects[name] = standIn(global, methods, take, give);
    }
    if (!replaces) inspect();
    begin();
  }
  if ("consent" in data) listen();
  if (shared.isGranted === false) shared.decide();
}
