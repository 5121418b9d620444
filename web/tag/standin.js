/*
 * Stands in for a vendor's object on the page, from the first moment: for good, or until the vendor's own comes. Where it may
 * give way it is an array, as a vendor's snippet has one.
 */

import { isChained } from "./apis.js";
import { data } from "./attributes.js";
import { expect, hang, hasLoaded, isVendors } from "./beside.js";
import { awaitLoad } from "./gate.js";
import { assign, isArray, keys, property, soon } from "./natives.js";
import { moment } from "./page.js";
import { say } from "./say.js";
import { shared } from "./shared.js";

const MARKS = ["invoked", "snippetExecuted"];

/*
 * Puts what the page calls at a global, and gives it: an object with methods, and with push. `take(method, args, moment,
 * chain)` performs a call or lets it wait; `give()` gives up what the vendor's snippet is to have, as arrays of a method and
 * its arguments.
 */
export function standIn(global, methods, take, give) {
  const object = "replace" in data ? {} : [];

  // What a vendor's snippet has buffered: [method, ...arguments].
  function adopt(entries) {
    for (const entry of [...entries]) {
      try {
        const [method, ...args] = [].slice.call(entry, 0, 99); // anything may say that it is long
        take(`${method}`, args, moment());
      } catch (error) {
        say(error); // no array, or one that throws when it is read
      }
    }
    shared.drain();
  }

  // An array that a vendor's snippet buffers in.
  function takeOver(buffer) {
    const { push } = object;
    if (buffer.push === push) return;
    if (typeof buffer.load === "function") awaitLoad(); // a vendor's snippet
    if (hasLoaded(buffer)) take("load", [buffer._writeKey, buffer._loadOptions], moment());
    assign(buffer, "push", push); // for code that holds on to it
    adopt(buffer);
  }

  // A vendor's snippet after us begins with ``window.analytics = window.analytics || []``. As long as its script runs it
  // finds no initialize, without which it would leave out its own first calls. Then we give way; or, in its place, it can't
  // replace our methods.
  function shield() {
    const ours = {};
    const given = {};
    if (shared.give) return;
    const hide = (name) => {
      ours[name] = object[name];
      const get = () => (name === "initialize" ? undefined : ours[name]);
      property(object, name, get, (value) => (given[name] = value));
    };
    if (isArray(object)) {
      hide("initialize");
    } else for (const name of keys(object)) if (typeof object[name] === "function") hide(name);
    soon(() => {
      for (const name of shared.give ? [] : keys(ours)) {
        delete object[name];
        assign(object, name, ours[name]);
      }
      // Every snippet has a load of its own. Without, it was the page itself, which may wrap a method.
      if (given.load) awaitLoad();
      else if (!shared.give) for (const name of keys(given)) assign(object, name, given[name]);
    });
  }

  // The snippet has its buffer to itself, with what it is to have.
  function giveWay() {
    for (const name of [...keys(object), ...MARKS]) delete object[name];
    object.push(...give());
    awaitLoad();
    hang(object);
    expect(global);
  }

  for (const method of methods.split(" ")) {
    const chain = isChained(method) && object;
    object[method] = (...args) => take(method, args, null, chain);
  }
  object.push = (...entries) => adopt(entries);

  // A vendor's snippet that comes later sets an array, whose calls are ours too. Anything else is the page's own doing, a
  // wrapper for instance.
  const before = window[global];
  let current = object;
  const set = (value) => {
    if (value === object) shield((current = value));
    else if (isArray(value) && !shared.give) takeOver(value);
    else if (isVendors(value, object)) {
      if (isArray(object)) hang((current = value));
    } else current = value;
  };
  property(window, global, () => current, set);
  // What a vendor's snippet leaves on its buffer; hidden, for pages may go through our methods and replace each.
  for (const mark of isArray(object) ? MARKS : []) {
    const give = (value) => {
      giveWay();
      object[mark] = value;
    };
    property(object, mark, () => {}, give, false);
  }
  if (window[global] !== object) assign(window, global, object);
  if (isArray(before)) takeOver(before);
  return object;
}
