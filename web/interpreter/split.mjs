/*
 * Splits MicroPython in two: what starts and first calls need, and the rest, which comes later.
 *
 * The second part has every function under the index that it has in the whole, the first only those that it can call, under
 * new ones. A function that lives in the other part is a stub, which calls it by way of a slot of the table behind those of
 * the whole. The first part's stubs first see to it that the second is there: the first part's export "arrived" is 0 until then, and its host puts a function
 * that brings it into the table, where the export "bring" says. The second part takes memory, table and variables from the
 * first, fills its slots and the rest of the data, and so can be instantiated at any time; `arrived` is then to be set.
 */

import { Module } from "./module.mjs";
import {
  FUNCTIONS,
  I32,
  i32,
  instructions,
  leb,
  NOTHING,
  OP,
  program,
  Reader,
  SECTION,
  sized,
  text,
  vector,
} from "./wasm.mjs";

/*
 * `bytes` of the whole, `hot`, the indices of the functions that go into the first part, `cold`, pairs of address and size
 * of data that goes into the second, and `made`, of data that goes into neither → the bytes of both.
 */
export function split(bytes, hot, cold, made = []) {
  const module = new Module(bytes);
  const { imports, functions, globals, bodies } = module;
  const isHot = (index) => index < imports.length || hot.has(index);
  const indices = bodies.map((_, index) => imports.length + index);
  const bodyOf = (index) => bodies[index - imports.length];
  const arrived = globals.length;
  const plain = module.types.findIndex((type) => Buffer.from(type).equals(Buffer.from([0x60, 0, 0])));

  // Who is called from the other side, directly; by way of the table or an export a stub may be called as well.
  const called = [true, false].map(
    (from) => new Set(indices.filter((index) => isHot(index) === from).flatMap((index) => callees(bodyOf(index)))),
  );
  const pointed = new Set([
    ...module.elements.flatMap((each) => each.functions),
    ...module.exports.filter((each) => each.kind === 0).map((each) => each.index),
  ]);
  const typeOf = (index) => functions[index - imports.length];
  const across = {
    // Those of one type together: stubs that are alike take little room.
    first: indices
      .filter((index) => !isHot(index) && (called[0].has(index) || pointed.has(index)))
      .sort((one, other) => typeOf(one) - typeOf(other)),
    second: indices.filter((index) => isHot(index) && called[1].has(index)),
  };
  const size = Math.max(...module.elements.map((each) => each.start + each.functions.length));
  const slots = new Map([...across.first, ...across.second].map((index, slot) => [index, size + 1 + slot]));
  const table = size + 1 + slots.size;

  const parameters = module.types.map((type) => type[1]);
  const nothing = sized([0, OP.unreachable, OP.end]);
  const stub = (index, before) => {
    if (!slots.has(index)) return nothing;
    const type = typeOf(index);
    const given = Array.from({ length: parameters[type] }, (_, each) => [OP.localGet, each]).flat();
    return sized([0, ...before, ...given, ...i32(slots.get(index)), OP.callIndirect, ...leb(type), 0, OP.end]);
  };
  const arriving = [
    [0, OP.globalGet, ...leb(arrived), OP.i32Eqz, OP.if, NOTHING],
    [...i32(size), OP.callIndirect, ...leb(plain), 0, OP.end, OP.end],
  ].flat();

  // The first part has no function that nothing there can call; those that are called most have the shortest numbers.
  const calls = new Map();
  for (const index of indices.filter(isHot).flatMap((index) => callees(bodyOf(index)))) {
    calls.set(index, (calls.get(index) || 0) + 1);
  }
  const most = [...calls].sort(([, one], [, other]) => other - one).map(([index]) => index);
  const short = most.filter((index) => index >= imports.length && isHot(index)).slice(0, 128);
  const present = [...new Set([...short, ...indices.filter(isHot), ...across.first])];
  const numbers = new Map([...imports.keys(), ...present].map((index, number) => [index, number]));
  const arrive = numbers.size; // a function of ours
  const renumbered = ({ start, functions }) => ({ start, functions: functions.map((index) => numbers.get(index)) });

  const variables = globals.filter((each) => each.isVariable);
  const isIn = (spans) => (at) => spans.some(([start, length]) => at >= start && at < start + length);
  const isFirst = (at) => !isIn([...cold, ...made])(at);
  const isSecond = (at) => isIn(cold)(at) && !isIn(made)(at);
  const first = program([
    ...module.sections,
    [SECTION.functions, vector([...present.map(typeOf), plain].map(leb))],
    [SECTION.tables, vector([[FUNCTIONS, 1, ...leb(table), ...leb(table)]])],
    [SECTION.globals, vector([...globals, [I32, 1, ...i32(0), OP.end], [I32, 0, ...i32(size), OP.end]])],
    [
      SECTION.exports,
      vector([
        ...module.exports.map((each) =>
          each.kind ? each : [...text(each.exported), 0, ...leb(numbers.get(each.index))],
        ),
        ...variables.map((_, index) => [...text(`variable${index}`), 3, ...leb(index)]),
        [...text("arrived"), 3, ...leb(arrived)],
        [...text("bring"), 3, ...leb(arrived + 1)],
      ]),
    ],
    [SECTION.elements, vector([...module.elements, ...runs(across.second, slots)].map(renumbered).map(asElements))],
    [
      SECTION.code,
      vector([
        ...present.map((index) =>
          isHot(index) ? sized(recalled(bodyOf(index), numbers)) : stub(index, [OP.call, ...leb(arrive)]),
        ),
        sized(arriving),
      ]),
    ],
    [SECTION.data, segments(module.data, isFirst)],
  ]);

  const given = (name, ...description) => [...text("first"), ...text(name), ...description];
  const second = program([
    [SECTION.types, module.sections.get(SECTION.types)],
    [
      SECTION.imports,
      vector([
        ...imports,
        given("__indirect_function_table", 1, FUNCTIONS, 0, ...leb(table)),
        given("memory", 2, 0, 1),
        ...variables.map((_, index) => given(`variable${index}`, 3, I32, 1)),
      ]),
    ],
    [SECTION.functions, module.sections.get(SECTION.functions)],
    [SECTION.globals, vector(globals.filter((each) => !each.isVariable))],
    [SECTION.elements, vector(runs(across.first, slots).map(asElements))],
    [SECTION.code, vector(indices.map((index) => (isHot(index) ? stub(index, []) : sized([...bodyOf(index)]))))],
    [SECTION.data, segments(module.data, isSecond)],
  ]);
  return { first, second };
}

// A function's code with other numbers for those that it calls.
function recalled(body, numbers) {
  const parts = [];
  let done = 0;
  for (const { opcode, immediates, end } of instructions(body)) {
    if (opcode !== OP.call) continue;
    const reader = new Reader(body);
    reader.at = immediates;
    parts.push(...body.subarray(done, immediates), ...leb(numbers.get(reader.number())));
    done = end;
  }
  return [...parts, ...body.subarray(done)];
}

function callees(body) {
  const found = [];
  for (const { opcode, immediates } of instructions(body)) {
    if (opcode !== OP.call) continue;
    const reader = new Reader(body);
    reader.at = immediates;
    found.push(reader.number());
  }
  return found;
}

const asElements = ({ start, functions }) => [0, ...i32(start), OP.end, ...vector(functions.map(leb))];

// Slots that follow one another, as what fills a table.
function runs(indices, slots) {
  return indices.length ? [{ start: slots.get(indices[0]), functions: indices }] : [];
}

// The data of which `wanted(address)` is true, without gaps of zeros.
function segments(data, wanted) {
  const found = [];
  for (const { start, content } of data) {
    let run = null;
    content.forEach((byte, index) => {
      if (!wanted(start + index)) run = null;
      else if (run) run.content.push(byte);
      else found.push((run = { start: start + index, content: [byte] }));
    });
  }
  return vector(found.map(({ start, content }) => [0, ...i32(start), OP.end, ...vector(content)]));
}
