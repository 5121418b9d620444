/* Beside a vendor's SDK: destination plugins of Segment's, or a custom integration of RudderStack's, before Python is there. */

import { data, ends, given, source, standard } from "./attributes.js";
import { OF_SDK } from "./entries.js";
import { drop } from "./gate.js";
import { isArray, keys, pause, property } from "./natives.js";
import { moment } from "./page.js";
import { say } from "./say.js";
import { queue, shared } from "./shared.js";

const isRudder = source === "rudderanalytics";
const method = isRudder ? "addCustomIntegration" : "register";
const name = given.integrationName || standard;
shared.integration = name;

let last; // the entry that was added last
let isIn; // whether RudderStack's SDK has us

// The SDK's message, for one plugin. `steps` are the page's middleware in front of that: where there is any, the message
// isn't kept for another page, which doesn't have it.
function take(message, alternative, steps) {
  if (shared.isGranted === false) return drop();
  if (shared.isOpen) return shared.deliver(message, alternative, steps.list);
  const plugin = [alternative, steps];
  if (last?.args[0] === message) last.args[1].push(plugin);
  else queue.add((last = { kind: OF_SDK, method: "", args: [message, [plugin]], moment: moment() }));
  if (shared.isLeft) shared.leave();
}

function toJSON() {
  if (this.list.length) throw this;
}

const plugins = (ends[0] && !isRudder ? ends : [""]).map((end) => {
  const alternative = end && standard + end;
  const steps = { list: [], toJSON };
  // Segment's SDK gives a context; RudderStack's gives itself, a log and an event.
  const hook = (context, _, event) => {
    take(event ? event.message : context.event, alternative, steps);
    return context;
  };
  const load = async (_, sdk) => shared.meet(sdk);
  const isLoaded = () => true;
  return {
    name,
    alternativeNames: alternative ? [alternative] : [],
    type: "destination",
    version: FACTS.version,
    fsbridge: true,
    isLoaded,
    isReady: isLoaded,
    load,
    init: load,
    addMiddleware: (...functions) => steps.list.push(...functions),
    page: hook,
    screen: hook,
    alias: hook,
    group: hook,
    identify: hook,
    track: hook,
  };
});

/* Whether this is a vendor's SDK, or the buffer that its snippet keeps for it, and nothing that passes calls on to `ours`. */
export function isVendors(value, ours) {
  if (isArray(value)) return typeof value.load === "function";
  const take = value?.[method];
  return typeof take === "function" && take !== ours?.[method] && (isRudder || value.queue || value.then);
}

/* Whether Segment's snippet has loaded the SDK. Before 4.1 it noted nothing on its buffer. */
export const hasLoaded = (buffer) =>
  "_loadOptions" in buffer || (buffer.SNIPPET_VERSION < "4.1" && document.querySelector("[src*='/analytics.js/']"));

/* Where no SDK has begun in time web/live says it; not of a page that hasn't called load yet. */
export async function expect(global) {
  await pause(30_000);
  const there = window[global];
  isArray(there) ? hang(there) : shared.boot();
}

// RudderStack's SDK takes nobody in once it has loaded.
function isLate() {
  const all = window.RudderStackGlobals;
  return keys(all).some((key) => all[key].state?.lifecycle.loaded.value);
}

/* Hangs us into an SDK, or into a buffer. */
export function hang(sdk) {
  shared.isNear ||= sdk;
  if (isRudder && !data.destinationId) return shared.boot(); // Python says it
  try {
    if (isArray(sdk)) {
      if (isRudder && !isIn) isIn = sdk.unshift([method, data.destinationId, plugins[0]]);
      if (hasLoaded(sdk) || sdk.some(([first]) => first === "load")) shared.boot();
    } else if (!isVendors(sdk)) return;
    else if (isRudder) {
      if (isIn) return;
      isIn = true;
      if (isLate()) {
        shared.late = plugins[0];
        shared.boot();
      } else sdk[method](data.destinationId, plugins[0]);
    } else if (sdk.then) sdk.instance ? hang(sdk.instance) : sdk.then(([own]) => hang(own), say);
    else if (!sdk.queue.plugins.includes(plugins[0])) {
      if (sdk.initialized) shared.late = plugins[0];
      sdk.register(...plugins).catch(say);
    }
  } catch (error) {
    say(error);
  }
}

/*
 * Hangs us into all that comes: Segment's SDK tells its inspector of each instance, RudderStack's puts itself on the page,
 * and so do older ones.
 */
export function follow(global) {
  inspect();
  let current = window[global];
  hang(current);
  if (current || isRudder)
    property(
      window,
      global,
      () => current,
      (value) => hang((current = value)),
    );
  expect(global);
}

/* The same where we stand in: what comes on the page, that sees to. */
export function inspect() {
  if (isRudder) return;
  let host = window.__SEGMENT_INSPECTOR__ || { start() {}, trace() {} }; // the SDK called these before 1.48
  property(
    window,
    "__SEGMENT_INSPECTOR__",
    () => (shared.isNear = host), // the SDK's code reads it
    (value) => (host = value),
  );
  let other = host.attach; // the real inspector's
  const attach = (sdk) => {
    hang(sdk);
    other?.call(host, sdk);
  };
  property(
    host,
    "attach",
    () => attach,
    (value) => (other = value),
  );
}
