/*
 * Bundles a script of ours with what it imports, and writes the result to standard output. Runs in Node.js.
 *
 *   node bundle.mjs NODE_MODULES SCRIPT FORMAT [FACTS]
 *
 * FORMAT is "iife" for a script or "esm" for a module. FACTS is JSON, for scripts that use the name FACTS.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, script, format, facts] = process.argv.slice(2);
const { default: esbuild } = await import(pathToFileURL(resolve(modules, "esbuild/lib/main.js")).href);
const { outputFiles } = await esbuild.build({
  entryPoints: [script],
  bundle: true,
  minify: true,
  write: false,
  format,
  target: "es2022", // browsers with all that the interpreters need have that
  charset: "utf8",
  logLevel: "error",
  define: facts ? { FACTS: facts } : {},
});
process.stdout.write(outputFiles[0].contents);
