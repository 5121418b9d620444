import assert from "node:assert/strict";
import { test } from "node:test";

import { merged } from "../live/merging.js";
import { CALL } from "../tag/entries.js";

const entry = (method, time) => ({ kind: CALL, method, args: [], moment: { time } });

test("earlier pages' entries go by time, behind what sets up this one", () => {
  const own = [entry("addSourceMiddleware", 5), entry("track", 6), entry("page", 9)];
  const found = merged(own, [
    [entry("identify", 1), entry("screen", 7)],
    [entry("alias", 2), entry("group", 8)],
  ]);
  const names = found.map(({ method }) => method).join(" ");
  assert.equal(names, "addSourceMiddleware identify alias track screen group page");
});

test("a page that gave up its first calls last", () => {
  const found = merged([], [[entry("track", 3), entry("page", 4), entry("identify", 1), entry("alias", 2)]]);
  assert.equal(found.map(({ method }) => method).join(" "), "identify alias track page");
});
