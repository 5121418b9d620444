/* fsbridge.inspect() and ?fsbridge-inspect: the inspector is a file of its own, which only those who ask for it load. */

import { python } from "./calls.js";
import { tag } from "./tag.js";

let isOpen = false;

/* Shows the inspector, once. */
export async function inspect() {
  if (isOpen) return;
  isOpen = true;
  try {
    const { show } = await import(tag.at("inspector.js"));
    const { call } = tag;
    const { pageCalled, delivered, follow } = show(tag);
    follow(() => python?.inspect(delivered) ?? []);
    tag.call = (method, args) => {
      pageCalled(method, args);
      return call(method, args);
    };
  } catch (error) {
    isOpen = false;
    tag.say(error);
  }
}

/* Whether the page's address asks for it. */
export const isAskedFor = () => /[?&]fsbridge-inspect\b/.test(location.search);
