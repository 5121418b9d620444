/* Beside a vendor's SDK: a destination plugin of Segment's, or a custom integration of RudderStack's. */

import { data } from "./attributes.js";
import { defineProperty, isArray } from "./natives.js";
import { say } from "./say.js";

/*
 * Hangs us into an SDK, or into the buffer that its snippet keeps for it. `deliver(message)` takes the SDK's messages;
 * `begin(sdk, plugin)` hears that it has set us up.
 */
export function hanging(isRudder, deliver, begin) {
  const plugin = { name: FACTS.integrations[data.destination], type: "destination", version: FACTS.version };
  // Segment's gives a context; RudderStack's itself, a log and an event.
  const take = (context, _, event) => {
    deliver(event ? event.message || event : context.event);
    return context;
  };
  for (const type of FACTS.types) plugin[type] = take;
  plugin.isLoaded = plugin.isReady = () => true;
  plugin.init = plugin.load = async (_, sdk) => begin(sdk, plugin);

  const call = isRudder ? ["addCustomIntegration", data.destinationId, plugin] : ["register", plugin];
  const [method, ...args] = call;
  const seen = [];
  let isBuffered = false;
  let isIn = false;
  return (sdk) => {
    try {
      // Segment's comes once more, with what its buffer held.
      if (isRudder ? isIn : sdk?.queue?.plugins?.includes(plugin) || seen.includes(sdk)) return;
      if (isArray(sdk)) {
        sdk.unshift(call);
        isBuffered = true;
      } else if (isBuffered)
        isBuffered = false; // it takes us over from its buffer, perhaps only after it is on the page
      else if (typeof sdk?.[method] === "function") sdk[method](...args)?.catch?.(say);
      else return;
      isIn = true;
      if (seen.push(sdk) > 9) seen.shift();
    } catch (error) {
      say(error);
    }
  };
}

/* Hangs us into what is at a global of the page, now and later. */
export function follow(global, hang) {
  let current = window[global];
  if (current) hang(current);
  const set = (value) => hang((current = value));
  try {
    defineProperty(window, global, { configurable: true, enumerable: true, get: () => current, set });
  } catch {
    // the page has declared it with var: an SDK that comes later is for fsbridge.attach
  }
}
