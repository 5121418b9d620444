/*
 * fsbridge: the one tag a page includes.
 *
 *   <script src="/fsbridge/fsbridge.js" data-destination="segment-classic" data-org="o-1ABC-na1"></script>
 *
 * At once it stands in for window.analytics (or window.rudderanalytics) and queues calls, with the page and time of
 * each. Then it boots the Python interpreter; once that is live it drains the queue in order, and from then on a call
 * runs synchronously: page call, Python, FullStory call, in one tick. What FullStory hasn't got yet when the page is
 * left waits in localStorage for the next page.
 */

import { wanted } from "./apis.js";
import { data, source } from "./attributes.js";
import { accept, drain, isOpen, python, setOpen } from "./bridge.js";
import { preload } from "./fullstory.js";
import { interpreter } from "./interpreters.js";
import { inherit, isLeft, leave, lose, prepare, settle, sweepLater, takeLost, watch } from "./leaving.js";
import { Promise, pause } from "./natives.js";
import { look, moment } from "./page.js";
import { CALL } from "./queue.js";
import { say } from "./say.js";
import { StandIn } from "./standin.js";
import { fail, state, succeed } from "./state.js";
import { queue } from "./waiting.js";

state.report = () => (python ? python.report() : say(state.status));

const standIns = [];
const objects = {}; // what the page calls, by the API's name

// What a method gives while it waits is `chain`, or a promise of the result.
function take(method, args, when, chain) {
  if (isOpen && !when) return python.call(method, args);
  const result = new Promise((resolve) => {
    queue.add({ kind: CALL, method, args, moment: when || moment(), resolve });
    if (state.status === "failed") resolve(); // nobody waits for ever
  });
  const waits = args[2]?.consentManagement; // then FullStory isn't asked for anything yet
  if (method === "load" && source === "rudderanalytics" && !waits) preload();
  if (isLeft) leave();
  return chain || result;
}

// Calls go through at once from now on; those that wait, first.
function open() {
  if (!python || isLeft) return;
  setOpen(true);
  for (const standIn of standIns) standIn.complete();
  if (state.status === "loading") state.status = "queueing";
  drain();
  settle();
  succeed();
  sweepLater(open);
}

// The queue is kept, for the next page.
function refuse(error) {
  say(error);
  queue.release();
  fail(error);
}

function status(status) {
  state.status = status;
  settle();
  const lost = status === "ready" ? takeLost() : []; // a late fs.js
  if (!lost.length) return;
  queue.addFirst(lost);
  if (isOpen) drain();
}

// What Python gets, and how it answers: fsbridge/browser/tag.py.
const config = {
  data,
  objects,
  state,
  look,
  say,
  accept,
  refuse,
  status,
  lost: lose,
};

async function boot() {
  const coming = interpreter();
  if (source === "analytics.js") preload();
  pause().then(prepare); // not awaited: what is coming may fail at once
  const start = await coming;
  start(config);
  await pause();
  await inherit();
  open();
}

if (window.fsbridge?.ready) {
  say(`the tag is on this page twice; this one, ${state.version}, does nothing`);
} else {
  window.fsbridge = state;
  for (const api of wanted(source)) {
    const standIn = new StandIn(api, take, () => isOpen && drain());
    standIns.push(standIn);
    objects[api.name] = standIn.object;
    standIn.serve();
  }
  watch(open);
  boot().catch(refuse);
}
