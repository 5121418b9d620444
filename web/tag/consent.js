/* Hears of consent from the page, which may come at any time, or never: data-consent="who what". */

import { data } from "./attributes.js";
import { say } from "./say.js";
import { shared, state } from "./shared.js";

/* By name; each takes categories, which all have to be granted. Consent platforms are in platforms.js. */
export const platforms = {
  __proto__: null,

  /* An event of the page's own, on the window or in the document. */
  event([name]) {
    const hear = ({ detail }) => {
      try {
        const granted = detail?.granted ?? detail;
        if (granted === !!granted) state.consent(granted);
      } catch (error) {
        say(error); // the page's, and no consent
      }
    };
    addEventListener(name, hear, true);
  },
};

/* What else is accepted, in words. */
export const others = { text: "others with fsbridge-consent.js" };

/* Begins to listen. */
export function listen() {
  const [name, ...categories] = data.consent.split(" ");
  if (name === "wait") return;
  if (platforms[name] && categories[0]) return platforms[name](categories);
  state.consent = () => {}; // whoever agrees doesn't know to what
  shared.refuse(`data-consent is "${data.consent}"; accepted: wait, event NAME, ${others.text}`);
}
