/*
 * What the tag does once its interpreter is there: it comes with that (micropython.js, pyodide.js), so that the tag itself
 * stays small. It starts Python, performs what waits and what earlier pages have left behind, and lets calls through.
 */

import { absence, begun, giveWay, join, takeSent, tell } from "./beside.js";
import { accept, drain, open as letThrough, python } from "./calls.js";
import { inspect, isAskedFor } from "./inspecting.js";
import { lose, settle, takeLost, watch } from "./leaving.js";
import { begin } from "./python.js";
import { tag, use } from "./tag.js";
import { inherit, listen, sweep, sweepLater } from "./taking.js";

const SDK_TIMEOUT = 30_000; // milliseconds until the SDK that the page has should have begun

let visits = 0; // how often the page has been come to
let isInheriting = false; // what earlier pages have left comes first

/* `interpreter` has fsbridge to import; `shared` is what web/tag/shared.js has. */
export async function start(interpreter, shared) {
  use(shared);
  examine();
  watch(() => resume(true));
  listen(open);
  begin(interpreter, { ...tag, accept, status, lost: lose });
  const { decide } = tag;
  tag.decide = (isGranted) => (isGranted ? agree() : refuse(decide));
  await tag.pause();
  tag.sent = takeSent;
  const { sdks, meet: note } = tag;
  tag.meet = (sdk) => {
    if (!sdks.includes(sdk)) meet(sdk);
    note(sdk);
  };
  for (const sdk of sdks) meet(sdk);
  if (isAskedFor()) await inspect(); // before anything goes out
  await resume();
  if (tag.late) join(tag.late);
  if (!tag.isBeside) return;
  tell();
  const isAwaited = () => !sdks.length && tag.state.status !== "failed";
  if (!isAwaited()) return;
  tag.awaitsSdk = true;
  tag.state.status = "waiting";
  await tag.pause(SDK_TIMEOUT - age());
  if (isAwaited()) tag.say(`${absence()}: nothing reaches FullStory before`);
}

// How long the page has been there, in milliseconds.
function age() {
  try {
    return performance.now();
  } catch {
    return 0; // the page's own
  }
}

// A vendor's SDK has us: it begins.
async function meet(sdk) {
  await begun(sdk);
  if (!python) return;
  giveWay(sdk);
  tag.isBeside = true;
  tag.awaitsSdk = false;
  tell();
  open();
  const { state } = tag;
  if (tag.isGranted && /^(wait|load)/.test(state.status)) state.status = "queueing";
  const hindrance = python.meet(sdk);
  tag.awaitsSdk = hindrance === "waiting";
  if (tag.isGranted && hindrance) state.status = hindrance;
}

async function resume(isBack) {
  if (!tag.isGranted) return;
  const visit = ++visits;
  isInheriting = true;
  await inherit(isBack);
  if (visit !== visits) return; // the page was left meanwhile, and come back to
  isInheriting = false;
  open();
}

// Calls go through at once from now on; those that wait, first.
function open() {
  if (!python || isInheriting || tag.isLeft || !tag.isGranted || (tag.sdks.length && !tag.isBeside)) return;
  if (!letThrough()) return;
  settle();
  tag.succeed();
  sweepLater(open);
}

// The visitor doesn't agree any more.
function refuse(forget) {
  if (!python) return forget(false);
  tag.isOpen = false;
  takeLost();
  python.consent(false);
  forget(false);
  tag.state.status = "waiting";
}

// The visitor agrees again.
function agree() {
  if (!python) return;
  tag.state.status = python.consent(true);
  if (tag.isLeft) tag.hide();
  else open();
}

function status(status) {
  if (!python || !tag.isGranted) return;
  tag.state.status = status;
  settle();
  if (status !== "ready") return;
  const lost = takeLost(); // a late fs.js
  if (lost.length) {
    tag.queue.addFirst(lost);
    drain();
  }
  sweep(open);
}

// Says what is wrong with attributes of the tag's own.
function examine() {
  const { data, built, say } = tag;
  const { runtime = "" } = data;
  if (runtime && !built.includes(runtime)) say(`unknown data-runtime ${runtime}; accepted: ${built.join(", ")}`);
  if (data.load !== undefined && data.load !== "page") say(`data-load is "${data.load}"; accepted: page`);
  for (const name of ["Calls", "Bytes", "Minutes"]) {
    const given = data[`queue${name}`];
    if (given === undefined || given > 0) continue;
    say(`data-queue-${name.toLowerCase()} is "${given}"; accepted: a number greater than 0`);
  }
}
