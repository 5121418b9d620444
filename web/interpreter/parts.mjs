/*
 * Writes the two parts of MicroPython. Runs in Node.js.
 *
 *   node parts.mjs FIRST SECOND MICROPYTHON_WASM
 */
import { readFile, writeFile } from "node:fs/promises";

import { divide } from "./profile.mjs";
import { split } from "./split.mjs";

const [first, second, program] = process.argv.slice(2);
const bytes = await readFile(program);
const { hot, cold } = await divide(bytes);
const parts = split(bytes, hot, cold);
await writeFile(first, parts.first);
await writeFile(second, parts.second);
