/*
 * The tab's name, which its pages share: with a "+" as long as one of them may leave something behind, for it may be hidden
 * only after the next one has begun.
 */

import { TAB } from "./entries.js";
import { word } from "./left.js";
import { attempt } from "./natives.js";

// Where storage is denied there is no name.
export const tab = {
  name: "",
  overlaps: false, // whether the last page is yet to be hidden

  /* A page begins. A window that a page has opened begins with a copy of that page's. */
  enter() {
    tab.name = tab.name || word();
    const found = attempt(() => {
      const [{ type }] = performance.getEntriesByType("navigation");
      const isOpened = window.opener && history.length === 1 && type === "navigate";
      return !isOpened && sessionStorage.getItem(TAB);
    });
    tab.overlaps = /\+$/.test(found);
    if (found) [tab.name] = found.split("+");
    tab.note("+");
  },

  /* Lets the next page know, by "+", that this one may still leave something, or by "" that it has. */
  note: (mark) => attempt(() => sessionStorage.setItem(TAB, tab.name + mark)),
};
