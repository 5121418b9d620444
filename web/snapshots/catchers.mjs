/*
 * Assembles the small WebAssembly modules by which MicroPython's C catches exceptions (web/micropython.js): functions that
 * call others and catch, with a copy of the interpreter's table of functions, behind which is what they need of it.
 */

import { ENOUGH, OF_INTERPRETER } from "../micropython.js";

const I32 = 0x7f;
const FUNCTIONS = 0x70;
const NOTHING = 0x40;
const TRY = 0x06;
const CATCH = 0x07;
const THROW = 0x08;
const END = 0x0b;
const CALL_INDIRECT = 0x11;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const I32_CONST = 0x41;
const TABLE_COPY = [0xfc, 0x0e];
const TABLE_SIZE = [0xfc, 0x10];

const leb = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >> 7)]);
const vector = (items) => [...leb(items.length), ...items.flat()];
const text = (value) => vector([...value].map((letter) => letter.charCodeAt(0)));
const sized = (content) => [...leb(content.length), ...content];
const section = (id, content) => [id, ...sized(content)];
const program = (...sections) => new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, ...sections.flat()]);

// Types of functions: so many numbers as arguments, and one as a result or none.
const type = (count, results) => 2 * count + results;
const types = section(
  1,
  vector(
    Array.from({ length: type(7, 0) }, (_, index) => [
      0x60,
      ...vector(Array(index >> 1).fill(I32)),
      ...vector(Array(index & 1).fill(I32)),
    ]),
  ),
);

const i32 = (value) => [I32_CONST, ...leb(value)];
const calling = (count, results) => [CALL_INDIRECT, type(count, results), 0];
const callingInterpreter = (index, count, results) => [...i32(ENOUGH + index), ...calling(count, results)];

function invoking(count, results) {
  const stack = count + 1;
  const args = Array.from({ length: count }, (_, index) => [LOCAL_GET, index + 1]).flat();
  const code = [
    [...callingInterpreter(0, 0, 1), LOCAL_SET, stack],
    [TRY, results ? I32 : NOTHING],
    [...args, LOCAL_GET, 0, ...calling(count, results)],
    [CATCH, 0],
    [LOCAL_GET, stack, ...callingInterpreter(1, 1, 0)],
    [...i32(1), ...i32(0), ...callingInterpreter(2, 2, 0)],
    [...(results ? i32(0) : []), END, END],
  ];
  return sized([1, 1, I32, ...code.flat()]);
}

/* The module with functions of these names, `invoke_` and letters for the types of result ("v": none) and arguments. */
export function catcher(names) {
  const signatures = names.map((name) => [name.length - 8, name[7] === "v" ? 0 : 1]);
  const exported = [...names, "_emscripten_throw_longjmp"].map((name, index) => [...text(name), 0, index]);
  return program(
    types,
    section(3, vector([...signatures.map(([count, results]) => [type(count + 1, results)]), [type(0, 0)]])),
    section(4, vector([[FUNCTIONS, 0, ...leb(ENOUGH + OF_INTERPRETER.length)]])),
    section(13, vector([[0, type(0, 0)]])), // the exception
    section(7, vector([...exported, [...text("table"), 1, 0]])),
    section(10, vector([...signatures.map((signature) => invoking(...signature)), sized([0, THROW, 0, END])])),
  );
}

/* A module that copies table "from" to table "to": entry by entry in JavaScript would make an object of each. */
export function copier() {
  const imported = (name) => [...text(""), ...text(name), 1, FUNCTIONS, 0, 0];
  const code = [...i32(0), ...i32(0), ...TABLE_SIZE, 0, ...TABLE_COPY, 1, 0, END];
  return program(
    types,
    section(2, vector([imported("from"), imported("to")])),
    section(3, vector([[type(0, 0)]])),
    section(8, [0]),
    section(10, vector([sized([0, ...code])])),
  );
}
