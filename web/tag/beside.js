/*
 * fsbridge beside a vendor's SDK: the one tag of a page that keeps it.
 *
 *   <script src="/fsbridge/fsbridge-beside.js" data-destination="segment-classic" data-org="o-1ABC-na1"></script>
 *
 * It hangs itself into the SDK, or into the buffer of its snippet, and takes nothing from it. The SDK's messages wait
 * for Python, bounded, and go through at once from then on.
 */

import { data, usual } from "./attributes.js";
import { accept, drain, isOpen, python, setOpen } from "./bridge.js";
import { preload } from "./fullstory.js";
import { interpreter } from "./interpreters.js";
import { inherit, isLeft, leave, lose, prepare, settle, sweepLater, takeLost, watch } from "./leaving.js";
import { pause } from "./natives.js";
import { look, moment } from "./page.js";
import { MESSAGE } from "./queue.js";
import { say } from "./say.js";
import { follow, hanging } from "./sdk.js";
import { fail, state, succeed } from "./state.js";
import { queue } from "./waiting.js";

data.beside = "";
state.report = () => (python ? python.report() : say(state.status));

function deliver(message) {
  queue.add({ kind: MESSAGE, method: "", args: [message, "sdk"], moment: moment() });
  if (isOpen) drain();
  if (isLeft) leave();
}

let begun; // by the SDK: itself, and our plugin

function begin(...sdk) {
  begun = sdk;
  if (isOpen) python.begin(...sdk);
  else preload();
}

function open() {
  if (!python || isLeft) return;
  setOpen(true);
  if (begun) python.begin(...begun);
  if (state.status === "loading") state.status = "queueing";
  drain();
  settle();
  succeed();
  sweepLater(open);
}

function refuse(error) {
  say(error);
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

const config = { data, objects: {}, state, look, say, accept, refuse, status, lost: lose };

async function boot() {
  const coming = interpreter();
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
  const isRudder = usual === "rudderanalytics";
  if (isRudder && !data.destinationId) {
    refuse("data-destination-id is missing; accepted: the id of the custom integration in RudderStack");
  } else {
    const hang = hanging(isRudder, deliver, begin);
    state.attach = hang;
    follow(data.global || (isRudder ? "rudderanalytics" : "analytics"), hang);
    watch(open);
    boot().catch(refuse);
  }
}
