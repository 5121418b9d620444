/* A vendor's SDK has us: what it gets from us, and when it has begun. web/tag/beside.js has hung us into it. */

import { own, Promise } from "../own.js";
import { CALL } from "../tag/entries.js";
import { tag } from "./tag.js";

const isArray = own("Array", "isArray");
const values = own("Object", "values");
const EVENTS = /^(track|page|screen|identify|group|alias)$/;
const OTHERS = /^(reset|setAnonymousId|(start|end)Session|on|once|add\w+Middleware|register|setCustomContext)$/;
const TYPES = ["track", "identify", "page", "group", "alias"];
const sent = []; // calls that FullStory has from us: the newest

/* Notes a call that goes through, as long as a vendor's SDK may yet come and want it, too. */
export function note(method, args) {
  if (!isArray(tag.objects[tag.api]) || tag.give || !(EVENTS.test(method) || OTHERS.test(method))) return;
  if (sent.push([method, args]) > tag.limits.calls) sent.shift();
}

/* Those calls, for the SDK: as arrays of a method and arguments that keep it from giving them to us. */
export const takeSent = () =>
  sent.splice(0).map(([method, args]) => [method, ...(EVENTS.test(method) ? without(method, args) : args)]);

// An event's arguments, with our name switched off in its options.
function without(method, args) {
  const others = args.filter((value) => value !== null && typeof value !== "object" && typeof value !== "function");
  const functions = args.filter((value) => typeof value === "function");
  const objects = args.filter((value) => value === null || typeof value === "object");
  if (method === "alias") objects.unshift(null);
  const [fields, options] = objects;
  const integrations = { ...options?.integrations, [tag.integration]: false };
  const first = method === "alias" ? [] : [fields ?? {}];
  return [...others, ...first, { ...options, integrations }, ...functions];
}

/* One line for a page that has not chosen: which of the three it is. */
export function tell() {
  if (tag.isTold || "beside" in tag.data) return;
  tag.isTold = true;
  const text =
    "[fsbridge] a vendor's SDK is on this page: we work beside it. data-beside says so beforehand, data-replace takes its place";
  try {
    console.info(text);
  } catch {
    // a page without a console
  }
}

/* What the page lacks where no SDK has us. */
export function absence() {
  const { data, source } = tag;
  const there = source === "rudderanalytics" && window[data.global || source];
  if (there?.load && !isArray(there) && !there.addCustomIntegration)
    return "RudderStack's SDK on this page takes no custom integrations, as it does from version 3.23 on";
  return "the vendor's SDK hasn't begun within 30 s";
}

/* Waits until an SDK has all its plugins; Segment's says so, RudderStack's has them when it has set us up. */
export const begun = (sdk) =>
  new Promise((resolve) => (sdk.initialized === false ? sdk.once("initialize", resolve) : resolve()));

/* What the page has called on our stand-in goes to the SDK, and so does what it calls from now on. */
export function giveWay(sdk) {
  if (tag.give || !isArray(tag.objects[tag.api])) return;
  const there = window[tag.global];
  const target = there && !isArray(there) ? there : sdk;
  tag.give = (method, args) => target[method]?.(...args);
  const entries = tag.queue.takeAll();
  tag.queue.addFirst(entries.filter(({ kind }) => kind !== CALL));
  for (const [method, ...args] of takeSent()) attempt(target, method, args);
  for (const { kind, method, args, resolve } of entries) {
    if (kind === CALL) resolve?.(attempt(target, method, args));
  }
}

/*
 * The SDK had begun when we came. RudderStack's then takes nobody in any more, but shows its state to RudderStack's own
 * tools: our integration goes to those that it has set up; not where it asks for consents, which only it can judge.
 */
export function join(integration) {
  const { data, meet, say } = tag;
  const isIn = tag.source !== "rudderanalytics" || attempt({ enter }, "enter", [integration, data.destinationId]);
  if (isIn && isIn !== true) meet(isIn);
  const isMissed = isIn
    ? "FullStory hasn't got what it sent before"
    : `it takes in no integration ${data.destinationId} any more`;
  say(`the SDK of ${tag.source} had begun before the tag, and ${isMissed}: put the tag above it`);
}

// Gives what stands for the SDK, if that has a place for us.
function enter(integration, id) {
  for (const { state } of values(window.RudderStackGlobals)) {
    const native = state?.nativeDestinations;
    const found = native?.configuredDestinations.value.find((each) => each.id === id);
    if (!found?.enabled || !found.isCustomIntegration || state.consents.enabled.value) continue;
    const own = {};
    for (const type of TYPES) own[type] = (event) => integration[type](null, null, event);
    const { initializedDestinations: ready } = native;
    ready.value = [...ready.value, { ...found, integration: own }];
    return state;
  }
}

function attempt(target, method, args) {
  try {
    return target[method]?.(...args);
  } catch (error) {
    tag.say(error);
  }
}
