import assert from "node:assert/strict";
import { test } from "node:test";

import { CALL, MESSAGE, OPERATION } from "../tag/entries.js";
import { makeQueue } from "../tag/queue.js";

const entry = (method, time = 0, kind = CALL) => ({ kind, method, args: [], moment: { time } });
const names = (entries) => entries.map(({ method }) => method).join(" ");

function filled(limit, ...methods) {
  const dropped = [];
  const queue = makeQueue(limit, () => dropped.push(1));
  methods.forEach((method, index) => queue.add(entry(method, index)));
  return { queue, dropped };
}

test("gives back what was added, in order, once", () => {
  const { queue } = filled(9, "track", "page", "ready");
  assert.equal(names(queue.takeAll()), "track page ready");
  assert.deepEqual(queue.takeAll(), []);
});

test("the oldest go first, but what sets up the page stays", () => {
  const { queue, dropped } = filled(3, "load", "track", "addSourceMiddleware", "page", "identify");
  assert.equal(names(queue.takeAll()), "load addSourceMiddleware identify");
  assert.equal(dropped.length, 2);
});

test("it is bounded whatever is called", () => {
  const { queue, dropped } = filled(2, "on", "once", "ready", "load");
  assert.equal(names(queue.takeAll()), "ready load");
  assert.equal(dropped.length, 2);
});

test("nobody waits for what was dropped, or released", () => {
  const settled = [];
  const queue = makeQueue(1, () => {});
  for (const name of ["track", "page"]) queue.add({ ...entry(name), resolve: () => settled.push(name) });
  assert.deepEqual(settled, ["track"]);
  queue.release();
  assert.deepEqual(settled, ["track", "page"]);
});

test("only what another page can make, too, is given up for it, whatever it is called", () => {
  const { queue } = filled(9, "track", "on", "FS", "message", "", "screen", "pageviews");
  queue.add(entry("", 7, OPERATION));
  queue.add(entry("", 8, MESSAGE));
  assert.deepEqual(
    queue.takeCarried().map(({ kind, method }) => [kind, method]),
    [
      [CALL, "track"],
      [CALL, "screen"],
      [OPERATION, ""],
      [MESSAGE, ""],
    ],
  );
  assert.equal(names(queue.takeAll()), "on FS message  pageviews");
});

test("a late fs.js's operations go before all", () => {
  const { queue } = filled(9, "track");
  queue.addFirst([entry("first", 9, OPERATION), entry("second", 9, OPERATION)]);
  assert.equal(names(queue.takeAll()), "first second track");
});
