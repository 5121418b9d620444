/* The page: where it is, and when. */

import { attempt, now } from "./natives.js";

let here = {}; // as it was last

// What a page makes of these is its own business: it may throw.
const text = (name) => attempt(() => document[name]) ?? "";

/* Where the page is: the same object for as long as that is the same. */
export function place() {
  const link = document.querySelector("link[rel='canonical']");
  const found = {
    url: location.href,
    title: text("title"),
    referrer: text("referrer"),
    canonical: link?.getAttribute("href") ?? null,
  };
  for (const key in found) if (found[key] !== here[key]) return (here = found);
  return here;
}

export const moment = (time = now()) => ({ ...place(), time });
