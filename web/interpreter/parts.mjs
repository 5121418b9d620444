/*
 * Writes the two parts of MicroPython. Runs in Node.js.
 *
 *   node parts.mjs NODE_MODULES FIRST SECOND MICROPYTHON_WASM
 */
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { divide } from "./profile.mjs";
import { split } from "./split.mjs";

const [modules, first, second, program] = process.argv.slice(2);
const { default: binaryen } = await import(pathToFileURL(resolve(modules, "binaryen/index.js")).href);
const { BulkMemory, BulkMemoryOpt, MutableGlobals, NontrappingFPToInt, SignExt } = binaryen.Features;

// MicroPython comes with more variables than its functions need.
function optimized(part) {
  const module = binaryen.readBinary(part);
  module.setFeatures(BulkMemory | BulkMemoryOpt | MutableGlobals | NontrappingFPToInt | SignExt);
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(0);
  module.optimize();
  return module.emitBinary();
}

const bytes = await readFile(program);
const { hot, cold, made } = await divide(bytes);
const parts = split(bytes, hot, cold, made);
await writeFile(first, optimized(parts.first));
await writeFile(second, optimized(parts.second));
