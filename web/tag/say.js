/* The console. */

import { attempt } from "./natives.js";

/* Says what went wrong; never throws, as a page may have a console of its own. */
export function say(error) {
  attempt(() => console.error("[fsbridge] " + (error?.message || error)));
}
