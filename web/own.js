/*
 * JavaScript's own functions as they are, whatever the page has done to them: what it has replaced comes from a window
 * without content.
 */

const { call, toString } = () => {};
const source = call.bind(toString);
let empty;

/*
 * Whether errors have a property of their own of this name, by which engines show. V8's have neither "line" nor "lineNumber",
 * and its first error would have all of a module parsed again: it is the one with native functions' texts on one line.
 */
export const errorsHave = (name) => /\n/.test(source(source)) && name in new Error();

const isNative = (value) =>
  typeof value === "function" ? /\[native code\]\s*\}$/.test(source(value)) : typeof value === "object";

function follow(path, from) {
  for (const name of path) from = from?.[name];
  return from;
}

/* What JavaScript has at a path such as "Array", "prototype", "map". */
export function own(...path) {
  if (path.join() === "Date,now") return now;
  const found = follow(path, globalThis);
  if (isNative(found)) return found;
  if (!empty) {
    const frame = document.createElementNS("http://www.w3.org/1999/xhtml", "iframe");
    frame.hidden = true;
    document.documentElement.appendChild(frame);
    empty = frame.contentWindow;
  }
  return follow(path, empty);
}

export const Promise = (async () => {})().constructor;

const clock = globalThis.Date.now;

/* Milliseconds since 1970, as a number even where the page's clock gives a Date. */
export const now = () => +clock();
