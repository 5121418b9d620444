/* FullStory on the page. Python brings it (fsbridge/browser/fullstory); here is what the tag has to know of it. */

import { data } from "./attributes.js";
import { isArray, parse } from "./natives.js";
import { moment } from "./page.js";
import { OPERATION } from "./queue.js";

const find = () => window[window._fs_namespace || "FS"];

/* Whether fs.js is there. */
export function isLive() {
  const FS = find();
  return typeof FS === "function" && (!!FS._api || !FS.q);
}

/* Whether an operation is the visitor's, and means something on another page, too. */
export const isVisitors = ([operation, options]) =>
  /^(trackEvent|setIdentity|setProperties)(Async)?$/.test(operation) && options?.type !== "page";

/* The entry of an operation [operation, options, source, version] that was made on a page since `arrived`. */
export const entryOf = (args, arrived) => ({
  kind: OPERATION,
  method: "",
  args,
  moment: moment(arrived), // when it was made isn't known, but before the next page
});

/* What waits for fs.js in FullStory's own queue, taken out, as entries. */
export function takeWaiting(arrived) {
  const FS = find();
  if (isLive() || !FS || !isArray(FS.q)) return [];
  const goes = (item) => isArray(item) && isVisitors(item);
  const all = FS.q.splice(0);
  FS.q.push(...all.filter((item) => !goes(item)));
  return all.filter(goes).map((item) => entryOf([...item.slice(0, 3), item[5]], arrived));
}

/* fs.js comes while Python starts. Where it really lies is for Python to say: this is the usual place. */
export function preload() {
  let given = data;
  try {
    given = { ...parse(data.settings || "{}"), ...data };
  } catch {
    // Python says it
  }
  const org = `${given.org || given.orgId || given.fs_org}`;
  const region = /^o-[^-]+-(\w+)$/.exec(org)?.[1];
  const soon = data.runtime !== "pyodide"; // browsers warn of what isn't used within seconds
  const host = given.host || given.fs_host || "fullstory.com"; // which RudderStack's configurations name
  if (!region || !soon || host !== "fullstory.com" || given.script || find()) return;
  const edge = region !== "na1" ? `edge.${region}` : "edge";
  const link = document.createElement("link");
  link.rel = "preload";
  link.as = "script";
  link.crossOrigin = "anonymous"; // as the later request has it, or it would come twice
  link.href = `https://${edge}.fullstory.com/s/fs.js?org=${org}`;
  (document.head || document.documentElement).appendChild(link);
}
