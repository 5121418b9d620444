import assert from "node:assert/strict";
import { test } from "node:test";

import { errorsHave } from "../own.js";

test("in V8 no error is made to find out that it is V8", () => {
  const { Error } = globalThis;
  let made = 0;
  globalThis.Error = class extends Error {
    line = ++made;
  };
  const found = ["line", "lineNumber"].map(errorsHave);
  globalThis.Error = Error;
  assert.deepEqual([found, made], [[false, false], 0]);
});
