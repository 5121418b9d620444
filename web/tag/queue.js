/* What waits for Python, as entries. */

import { CALL } from "./entries.js";

// What the next page makes, too, if this one can't any more: what isn't about this page alone.
const CARRIED = /^(page(view)?|track|identify|alias|group|reset|setAnonymousId|(start|end)Session|screen)$/;

export const isCarried = ({ kind, method }) => kind !== CALL || CARRIED.test(method);

/* A queue. `limit` is how many may wait; `onDropped()` hears of each that is one too many. */
export function makeQueue(limit, onDropped) {
  let all = [];
  const queue = {
    add(entry) {
      all.push(entry);
      queue.addFirst([]);
    },

    /* Puts entries before all others. The oldest go when there are too many, but not what sets up the page. */
    addFirst(entries) {
      all = [...entries, ...all];
      while (all.length > limit) {
        all.splice(Math.max(all.findIndex(isCarried), 0), 1)[0].resolve?.();
        onDropped();
      }
    },

    /* Gives up all entries. */
    takeAll: () => all.splice(0),

    /* Gives up those that another page can make, too. */
    takeCarried() {
      const carried = all.filter(isCarried);
      all = all.filter((entry) => !isCarried(entry));
      return carried;
    },

    /* Lets nobody wait any longer for what a call gives. */
    release() {
      for (const { resolve } of all) resolve?.();
    },
  };
  return queue;
}
