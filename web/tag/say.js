/* The console. */

/* Says what went wrong; never throws, as a page may have a console of its own. */
export function say(error) {
  try {
    console.error("[fsbridge] " + (error?.message || error));
  } catch {
    // none, or a broken one
  }
}
