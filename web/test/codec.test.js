import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import vm from "node:vm";

import { decode } from "../live/codec.js";
import { toText } from "../tag/codec.js";

const roundTrip = (value) => decode(JSON.parse(toText(value)));

afterEach(() => {
  delete Array.prototype.toJSON;
  delete Object.prototype.toJSON;
});

for (const [name, value] of Object.entries({
  text: "a\ud800 “b”",
  numbers: [0, -0, 1.5, NaN, Infinity, -Infinity, 2 ** 60],
  bigint: [0n, -(2n ** 70n)],
  nothing: [null, undefined, true, false, ""],
  nested: { a: [{ b: [[], {}] }], "": 1 },
  "arrays that look like ours": [["a"], ["d", 5], ["n", "NaN"], ["u"], ["b", "1"]],
  dates: [new Date(0), new Date(-1), new Date(1700000000000)],
  "a name of Object's": JSON.parse('{"__proto__": {"x": 1}, "constructor": 2, "toString": 3}'),
})) {
  test(`${name} comes back`, () => assert.deepStrictEqual(roundTrip(value), value));
}

test("holes and functions become undefined", () => {
  // biome-ignore lint/suspicious/noSparseArray: that is what is tested
  assert.deepStrictEqual(roundTrip([1, , () => 1, Symbol("s")]), [1, undefined, undefined, undefined]);
});

test("a Date of another realm is a Date", () => {
  const [valid, invalid] = roundTrip([...vm.runInNewContext("[new Date(5), new Date(NaN)]")]);
  assert.deepStrictEqual(valid, new Date(5));
  assert.ok(invalid instanceof Date && Number.isNaN(invalid.getTime()));
});

test("what only calls itself a Date is none", () => {
  assert.deepStrictEqual(roundTrip({ [Symbol.toStringTag]: "Date", a: 1 }), { a: 1 });
});

test("an object's own toJSON counts, a page's for all objects doesn't", () => {
  class Money {
    toJSON(key) {
      return `${key}: 5 EUR`;
    }
  }
  Array.prototype.toJSON = Object.prototype.toJSON = () => "broken";
  assert.deepStrictEqual(roundTrip({ price: new Money(), items: [{ a: [1] }], when: new Date(1) }), {
    price: "price: 5 EUR",
    items: [{ a: [1] }],
    when: new Date(1),
  });
});

test("what goes round in circles, or throws when it is read, throws", () => {
  const round = { name: "x" };
  round.self = [round];
  assert.throws(() => toText(round));
  assert.throws(() => toText([Object.defineProperty({}, "a", { enumerable: true, get: () => assert.fail("read") })]));
});
