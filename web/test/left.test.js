import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { itemKeys, orphans, takeItem } from "../live/items.js";
import { CALL, MESSAGE, OPERATION, PREFIX } from "../tag/entries.js";
import { put } from "../tag/left.js";

// A storage whose keys are its items, as the browsers' are.
function fakeStorage() {
  const items = {};
  const methods = {
    getItem: (key) => (Object.hasOwn(items, key) ? items[key] : null),
    setItem: (key, text) => (items[key] = String(text)),
    removeItem: (key) => delete items[key],
  };
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(items, name, { value });
  return items;
}

const LIMITS = { calls: 4, bytes: 2000, age: 60_000 };
const entry = (method, args = [], time = Date.now(), kind = CALL) => ({
  kind,
  method,
  args,
  moment: { time, url: "u" },
});
const names = ({ entries }) => entries.map(({ method }) => method).join(" ");

// A storage, and what both rooms do with it.
function made() {
  const storage = fakeStorage();
  const left = {
    name: (tab) => `${PREFIX}${Date.now()}-${tab}-x`,
    put: (key, entries, dropped) => put(storage, key, entries, dropped, LIMITS),
    take: (key) => takeItem(storage, key, LIMITS.age),
    keys: (tab) => itemKeys(storage, tab),
    orphans: (grace) => orphans(storage, grace),
  };
  return { storage, left };
}

afterEach(() => delete Array.prototype.toJSON);

test("an item comes back whole, once, as carried", () => {
  const { left, storage } = made();
  const given = [
    entry("track", ["E", { n: [NaN] }]),
    entry("", ["trackEvent"], Date.now(), OPERATION),
    entry("", [{}], Date.now(), MESSAGE),
  ];
  const key = left.name("tab");
  left.put(key, given, 3);
  assert.deepEqual(left.take(key), { dropped: 3, entries: given.map((each) => ({ ...each, carried: true })) });
  assert.deepEqual(left.take(key), { dropped: 0, entries: [] });
  assert.deepEqual(Object.keys(storage), []);
});

test("keys are a tab's, the oldest first, and others' are left alone", () => {
  const { left, storage } = made();
  storage.setItem("other", "x");
  const keys = [
    "fsbridge:left:1700000000002-b-x",
    "fsbridge:left:1700000000001-a-y",
    "fsbridge:left:1700000000000-b-z",
  ];
  for (const key of keys) storage.setItem(key, "[0]");
  assert.deepEqual(left.keys(), keys.toReversed());
  assert.deepEqual(left.keys("b"), [keys[2], keys[0]]);
  assert.deepEqual(left.orphans(1000), keys.toReversed());
  storage.setItem(left.name("c"), "[0]");
  assert.equal(left.orphans(1000).length, 3);
});

test("the newest are kept, of this item and of others, and what isn't is counted", () => {
  const { left } = made();
  const [first, second] = ["fsbridge:left:1700000000001-a-x", "fsbridge:left:1700000000002-a-x"];
  left.put(first, [entry("one"), entry("two")], 0);
  left.put(
    second,
    ["three", "four", "five"].map((name) => entry(name)),
    0,
  );
  assert.deepEqual(left.keys(), [second]);
  const found = left.take(second);
  assert.equal(names(found), "three four five");
  assert.equal(found.dropped, 2);

  left.put(
    first,
    ["one", "two", "three", "four", "five"].map((name) => entry(name)),
    1,
  );
  const bounded = left.take(first);
  assert.equal(names(bounded), "two three four five");
  assert.equal(bounded.dropped, 2);
});

test("what is too large for storage, or can't be written, is counted", () => {
  const { left } = made();
  const round = {};
  round.self = round;
  left.put(
    "fsbridge:left:1700000000001-a-x",
    [entry("large", ["x".repeat(2000)]), entry("round", [round]), entry("small")],
    0,
  );
  const found = left.take("fsbridge:left:1700000000001-a-x");
  assert.equal(names(found), "small");
  assert.equal(found.dropped, 2);
});

test("what has become too old is counted, not performed", () => {
  const { left } = made();
  left.put("fsbridge:left:1700000000001-a-x", [entry("old", [], Date.now() - 61_000), entry("new")], 0);
  const found = left.take("fsbridge:left:1700000000001-a-x");
  assert.equal(names(found), "new");
  assert.equal(found.dropped, 1);
});

for (const text of [
  "",
  "no JSON",
  "null",
  "5",
  "{}",
  '["x"',
  '[0, ["a", "call"]]',
  '[0, ["a", "eval", "x", ["a"], {"time": 9e15}]]',
]) {
  test(`an item that isn't ours gives nothing: ${text}`, () => {
    const { left, storage } = made();
    storage.setItem("fsbridge:left:1700000000001-a-x", text);
    assert.deepEqual(left.take("fsbridge:left:1700000000001-a-x").entries, []);
    assert.deepEqual(left.keys(), []);
  });
}

test("what isn't ours costs no room, and counts as nothing", () => {
  const { left, storage } = made();
  for (const [index, text] of ["", "null", "5", "{}", "[]"].entries()) {
    storage.setItem(`fsbridge:left:170000000000${index}-b-x`, text);
  }
  const key = "fsbridge:left:1700000000009-a-x";
  left.put(key, [entry("one"), entry("two"), entry("three"), entry("four")], 1);
  const found = left.take(key);
  assert.equal(names(found), "one two three four");
  assert.equal(found.dropped, 1);
});

test("a page's toJSON for all arrays breaks nothing", () => {
  const { left } = made();
  Array.prototype.toJSON = () => "broken";
  left.put("fsbridge:left:1700000000001-a-x", [entry("track", ["E", { list: [1] }])], 0);
  assert.deepEqual(left.take("fsbridge:left:1700000000001-a-x").entries[0].args, ["E", { list: [1] }]);
});
