/* FullStory on the page. Python brings it (fsbridge/browser/fullstory); here is what leaving a page has to know of it. */

import { own } from "../own.js";
import { OPERATION } from "../tag/entries.js";
import { tag } from "./tag.js";

const isArray = own("Array", "isArray");
const find = () => window[tag.namespace];

/* Whether fs.js is there. */
export function isThere() {
  const FS = find();
  return typeof FS === "function" && (!!FS._api || !FS.q);
}

/* Whether an operation is the visitor's, and means something on another page, too. */
export const isVisitors = ([operation, options]) =>
  /^(trackEvent|setIdentity|setProperties)(Async)?$/.test(operation) && options?.type !== "page";

/* The entry of an operation [operation, options, source, version] that was made of calls at `time` or later. */
export const entryOf = (args, time) => ({ kind: OPERATION, method: "", args, moment: tag.moment(time) });

/* What waits for fs.js in FullStory's own queue, taken out, as entries. */
export function takeWaiting(time) {
  const FS = find();
  if (isThere() || !FS || !isArray(FS.q)) return [];
  const goes = (item) => isArray(item) && isVisitors(item);
  const all = FS.q.splice(0);
  FS.q.push(...all.filter((item) => !goes(item)));
  return all.filter(goes).map((item) => entryOf([...item.slice(0, 3), item[5]], time));
}
