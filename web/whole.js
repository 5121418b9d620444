/*
 * Refuses a module whose text isn't what the build wrote (bundle.mjs): SELF is a function around all of it, SUM that of its
 * text. Bundlers write texts of their own.
 */

import { own } from "./own.js";
import { sum } from "./sum.js";

if (typeof SELF === "function" && !globalThis.fsbridgeConfig?.at) {
  const text = own("Reflect", "apply")(own("Function", "prototype", "toString"), SELF, []);
  const { buffer, length } = new TextEncoder().encode(text);
  if (sum(buffer, length) !== SUM) throw new Error("it is damaged");
}
