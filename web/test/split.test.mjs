import assert from "node:assert/strict";
import { test } from "node:test";

import { split } from "../interpreter/split.mjs";
import { FUNCTIONS, I32, i32, leb, OP, program, SECTION, sized, text, vector } from "../interpreter/wasm.mjs";

const VOID = [0x60, 0, 0];
const TO_NUMBER = [0x60, 0, 1, I32];
const NUMBER_TO_NUMBER = [0x60, 1, I32, 1, I32];

/*
 * A module with functions 1 "warm", 2 "cold" and 3 "helper" behind the imported 0, a variable, a table with 2 and 3, and
 * two spans of data: warm(n) = cold(n) + 1, cold(n) = helper(n) * 10, helper(n) = n + what lies at 100, plus the variable.
 */
const call = (index) => [OP.call, ...leb(index)];
const whole = program([
  [SECTION.types, vector([VOID, TO_NUMBER, NUMBER_TO_NUMBER])],
  [SECTION.imports, vector([[...text("env"), ...text("note"), 0, 0]])],
  [SECTION.functions, vector([2, 2, 2])],
  [SECTION.tables, vector([[FUNCTIONS, 1, 3, 3]])],
  [SECTION.memories, vector([[1, 1, 10]])],
  [
    SECTION.globals,
    vector([
      [I32, 1, ...i32(5), OP.end],
      [I32, 0, ...i32(7), OP.end],
    ]),
  ],
  [
    SECTION.exports,
    vector([
      [...text("warm"), 0, 1],
      [...text("cold"), 0, 2],
      [...text("memory"), 2, 0],
      [...text("__indirect_function_table"), 1, 0],
    ]),
  ],
  [SECTION.elements, vector([[0, ...i32(1), OP.end, ...vector([[2], [3]])]])],
  [
    SECTION.code,
    vector([
      sized([0, OP.localGet, 0, ...call(2), ...i32(1), 0x6a, OP.end]),
      sized([0, ...call(0), OP.localGet, 0, ...call(3), ...i32(10), 0x6c, OP.end]),
      sized([0, OP.localGet, 0, ...i32(100), 0x2d, 0, 0, 0x6a, OP.globalGet, 0, 0x6a, OP.end]),
    ]),
  ],
  [
    SECTION.data,
    vector([
      [0, ...i32(100), OP.end, ...vector([3, 4])],
      [0, ...i32(1000), OP.end, ...vector([9])],
    ]),
  ],
]);

function start(hot, cold) {
  const { first, second } = split(whole, new Set(hot), cold);
  const noted = [];
  const env = { note: () => noted.push("note") };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(first), { env });
  let brought = 0;
  const bring = () => {
    brought++;
    new WebAssembly.Instance(new WebAssembly.Module(second), { env, first: exports });
    exports.arrived.value = 1;
  };
  exports.__indirect_function_table.set(exports.bring.value, asFunction(bring));
  return { ...exports, noted, bring, brought: () => brought, bytes: new Uint8Array(exports.memory.buffer) };
}

// A table takes functions of WebAssembly's only.
function asFunction(body) {
  const module = program([
    [SECTION.types, vector([VOID])],
    [SECTION.imports, vector([[...text(""), ...text("f"), 0, 0]])],
    [SECTION.exports, vector([[...text("f"), 0, 0]])],
  ]);
  return new WebAssembly.Instance(new WebAssembly.Module(module), { "": { f: body } }).exports.f;
}

const result = (n) => (n + 3 + 5) * 10 + 1;

for (const hot of [[], [1], [1, 2], [1, 3], [1, 2, 3]]) {
  test(`what lives where doesn't matter: ${hot.join(" ") || "nothing"} in the first part`, () => {
    const part = start(hot, []);
    assert.equal(part.warm(2), result(2));
    assert.equal(part.cold(1), result(1) - 1);
    assert.equal(part.__indirect_function_table.get(2)(1), 1 + 3 + 5);
    assert.equal(part.noted.length, 2);
    assert.equal(part.brought(), hot.length === 3 ? 0 : 1);
  });
}

test("a first part that needs nothing of the second never asks for it", () => {
  const part = start([1, 2, 3], [[1000, 1]]);
  assert.equal(part.warm(2), result(2));
  assert.equal(part.brought(), 0);
});

test("the second part may come before it is needed, and brings its data", () => {
  const part = start([1], [[1000, 1]]);
  assert.equal(part.bytes[1000], 0);
  part.bring();
  assert.deepEqual([part.bytes[100], part.bytes[101], part.bytes[1000]], [3, 4, 9]);
  assert.equal(part.warm(2), result(2));
  assert.equal(part.brought(), 1);
});

test("what the first part wrote to its own data and variables stays", () => {
  const part = start([1], [[1000, 1]]);
  part.bytes[100] = 50;
  part.variable0.value = 6;
  assert.equal(part.warm(2), (2 + 50 + 6) * 10 + 1);
  assert.equal(part.bytes[100], 50);
});
