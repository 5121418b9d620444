/*
 * Bundles a script of ours with what it imports, and writes the result to standard output. Runs in Node.js.
 *
 *   node bundle.mjs NODE_MODULES SCRIPT FORMAT [FACTS]
 *
 * FORMAT is "iife" for a script, "esm" for a module or "whole" for one that knows the sum of its text (whole.js). FACTS is
 * JSON, for scripts that use the name FACTS. All go through terser, too, which makes them a few percent smaller.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { sum } from "./sum.js";

const [modules, script, format, facts] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(resolve(modules, path)).href);
const { default: esbuild } = await load("esbuild/lib/main.js");
const { outputFiles } = await esbuild.build({
  entryPoints: [script],
  bundle: true,
  minify: true,
  write: false,
  format: format === "iife" ? format : "esm",
  target: ["chrome96", "firefox79", "safari15"], // the oldest: docs/browsers.md says why
  charset: "utf8",
  nodePaths: [resolve(modules)], // for what isn't beside them
  logLevel: "error",
  define: facts ? { FACTS: facts } : {},
});
const { minify } = await load("terser/main.js");
const options = { ecma: 2022, module: format !== "iife", compress: { passes: 3, unsafe_arrows: true } };
const { code } = await minify(outputFiles[0].text, options);
process.stdout.write(format === "whole" ? whole(code) : code);

// All of a module as one function, which gets itself and its sum.
function whole(text) {
  const [exporting, list] = text.match(/export\{([^}]*)\};?\s*$/);
  const pairs = list.split(",").map((pair) => pair.split(" as "));
  const result = pairs.map(([name, exported = name]) => `${exported}:${name}`);
  const body = `(SELF,SUM)=>{${text.slice(0, -exporting.length)}return{${result}}`;
  const self = `${body.padEnd(body.length + 3 - (Buffer.byteLength(body) % 4))}}`;
  const total = sum(new Uint8Array(Buffer.from(self)).buffer);
  return `const whole=(${self});export const{${pairs.map((pair) => pair.at(-1))}}=whole(whole,${total});\n`;
}
