/* What comes before the interpreter is there, while it is on its way. */

import { own } from "../own.js";

const keys = own("Object", "keys");

/* `shared` is what web/tag/shared.js has. */
export function early(shared) {
  preload(shared);
  try {
    keys(localStorage); // browsers take milliseconds for these at the first time
    document.cookie;
  } catch {
    // storage is denied
  }
}

// Asks for fs.js, unless RudderStack's load is yet to come, or waits for consent. Where fs.js really lies is for Python to
// say: this is where it does as a rule, or where the settings say it.
function preload({ given, source, load, isBeside }) {
  if (isBeside || (source === "rudderanalytics" && (!load || load[2]?.consentManagement))) return;
  const org = `${given.org || given.orgId || given.fs_org}`;
  const region = /^o-[^-]+-(\w+)$/.exec(org)?.[1];
  const { debug, namespace, script } = given;
  if (!region || `${debug || false}` !== "false" || debug === "" || window[namespace || "FS"]) return;
  const edge = region !== "na1" ? `edge.${region}` : "edge";
  const isOurs = typeof script === "string" && !/(^|\.)fullstory\.com(\/|$)/.test(script);
  const link = document.createElement("link");
  link.rel = "preload";
  link.as = "script";
  link.crossOrigin = "anonymous"; // as the later request has it, or it would come twice
  link.href = `https://${isOurs ? script : `${edge}.fullstory.com/s/fs.js`}?org=${org}`;
  (document.head || document.documentElement).appendChild(link);
}
