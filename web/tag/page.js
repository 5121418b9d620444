/* The page: where it is, and when. */

import { now } from "./natives.js";

let here = {}; // as it was last

/* Where the page is: the same object for as long as that is the same. */
export function look() {
  const link = document.querySelector("link[rel='canonical']");
  const found = {
    url: location.href,
    title: document.title,
    referrer: document.referrer,
    canonical: link ? link.getAttribute("href") : null,
  };
  for (const key in found) if (found[key] !== here[key]) return (here = found);
  return here;
}

export const moment = (time = now()) => ({ ...look(), time });
