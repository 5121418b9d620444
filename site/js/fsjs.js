// Whether FullStory's script is there, and if it isn't, why and what to do about it.

import { destination } from "./choices.js";

const forbidden = []; // what this page's Content Security Policy has kept away
document.addEventListener("securitypolicyviolation", ({ blockedURI }) => forbidden.push(blockedURI));

/** Whether fs.js has taken over: then it has got every call on FS. */
export const isThere = () => typeof window.FS?._api === "function";

/** Why fs.js did not load, and what to do, for people. */
export function whyBlocked() {
  const address = document.querySelector("script[src*='org=']")?.src ?? "https://edge.fullstory.com/s/fs.js";
  return `fs.js did not load, so FullStory receives nothing. ${reason(address)} The calls are kept for the next page.`;
}

function reason(address) {
  const { origin, host } = new URL(address);
  if (forbidden.some((each) => each.startsWith(origin))) {
    return `This page’s Content Security Policy forbids it: allow ${origin} in script-src.`;
  }
  const status = performance.getEntriesByName(address)[0]?.responseStatus ?? 0;
  if (status >= 400) return `${host} answers ${status} for it: check the settings that name the host or the script.`;
  if (!navigator.onLine) return "This browser is offline: try again when it isn’t.";
  const own = destination.settings.find(({ name }) => ["script", "fs_host"].includes(name));
  const proxy = own ? ` Or serve it from a domain of your own: the setting “${own.name}” says which.` : "";
  return `Usually an ad blocker, a privacy extension or a firewall is in the way: allow ${host} there and reload.${proxy}`;
}
