/* window.fsbridge: what the tag tells the page of itself. */

import { Promise } from "./natives.js";

let settle;

export const state = { version: FACTS.version, status: "loading", dropped: 0 };
state.ready = new Promise((resolve, reject) => (settle = [resolve, reject]));
state.ready.catch(() => {});

/* Calls go through. */
export const succeed = () => settle[0](state);

/* They never will. */
export function fail(error) {
  state.status = "failed";
  settle[1](error instanceof Error ? error : new Error(error));
}
