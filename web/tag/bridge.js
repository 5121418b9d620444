/* The bridge to Python: calls go over to it, at once or from the queue. */

import { queue } from "./waiting.js";

/* Python's functions, as fsbridge/browser/tag.py says, once it is live. They don't throw. */
export let python = null;
/* Whether calls go through at once. */
export let isOpen = false;

export const accept = (functions) => (python = functions);
export const setOpen = (open) => (isOpen = open);

/* Hands over what waits, all at once: what sets up the page among it counts for the rest, too. */
export function drain() {
  const entries = queue.takeAll();
  const results = python.replay(entries);
  entries.forEach(({ resolve }, index) => resolve?.(results[index]));
}

/* What Python still holds, such as calls that a slow middleware keeps waiting, as entries. */
export const takeBack = () => (python ? [...python.handBack()] : []);
