import assert from "node:assert/strict";
import { test } from "node:test";

// What these know of a page at once.
globalThis.window = globalThis;
globalThis.document = {};

const { accept, drain, end, giveUp, waitFor } = await import("../live/calls.js");
const { use } = await import("../live/tag.js");
const { makeQueue } = await import("../tag/queue.js");
const { CALL } = await import("../tag/entries.js");

const NAMES = ["A", "B", "C"];
const entry = (name) => ({ kind: CALL, method: "track", args: [name], moment: { time: 0 } });

// The names of what still waits where Python, in the middle of B, does `then()`.
function waiting(then) {
  const queue = makeQueue(9, () => {});
  const leave = () => {};
  use({
    queue,
    leave,
    state: {},
    objects: {},
    isBeside: true,
    isOpen: true,
    say() {},
    refuse() {},
    moment: () => ({ time: 1 }),
  });
  accept({
    api: "analytics",
    answering: [],
    replay(entries) {
      for (const each of entries) {
        each.begun = true;
        if (each.args[0] === "B") {
          try {
            then();
          } catch {
            return entries.map(() => undefined);
          }
        }
        each.done = true;
      }
      return entries.map(({ args }) => args[0]);
    },
  });
  queue.addFirst(NAMES.map(entry));
  drain();
  return queue.takeAll().map(({ args }) => args[0]);
}

test("what Python has done doesn't wait any more, nor what goes wrong in it", () => {
  assert.deepEqual(
    waiting(() => {}),
    [],
  );
});

test("where Python can't go on, what it hasn't done waits", () => {
  const stop = () => {
    end(new Error("no second part"));
    throw new Error("no second part");
  };
  assert.deepEqual(waiting(stop), ["B", "C"]);
});

test("a page that is left while Python waits for a file takes along what isn't done, once", () => {
  assert.deepEqual(waiting(giveUp), []); // Python goes on
  const stop = () => {
    try {
      waitFor(giveUp);
    } catch (error) {
      end(error);
      throw error;
    }
  };
  assert.deepEqual(waiting(stop), ["B", "C"]);
});
