import assert from "node:assert/strict";
import { test } from "node:test";

import { begin } from "../live/python.js";
import { CALL } from "../tag/entries.js";

// A Python whose replay is `replay(names, performed)`, and which has taken up what is in `performed`.
function performing(replay) {
  const performed = [];
  const said = [];
  let functions;
  const offered = {
    methods: ["track"],
    answering: [],
    call() {},
    take() {},
    replay(entries) {
      try {
        return replay(
          entries.map(({ args }) => args[0]),
          performed,
        );
      } finally {
        for (const entry of entries) entry.begun = performed.includes(entry.args[0]);
      }
    },
  };
  const python = { pyimport: () => ({ start: ({ accept }) => accept(offered) }) };
  begin(python, { say: (problem) => said.push(`${problem}`), accept: (given) => (functions = given) });
  const entries = ["A", "B", "C"].map((name) => ({ kind: CALL, method: "track", args: [name] }));
  return { results: functions.replay(entries, true), performed, said };
}

test("what goes wrong costs the call where it does, and no other", () => {
  const { results, performed, said } = performing((names, performed) => {
    for (const name of names) {
      performed.push(name);
      if (name === "B") throw new Error("B is odd");
    }
    return names.map((name) => `result of ${name}`);
  });
  assert.deepEqual(performed, ["A", "B", "C"]);
  assert.deepEqual(results, [undefined, undefined, "result of C"]);
  assert.deepEqual(said, ["Error: B is odd"]);
});

test("what goes wrong before the first call is tried again, once", () => {
  let failures = 0;
  const once = performing((names, performed) => {
    if (!failures++) throw new Error("not yet");
    performed.push(...names);
    return names;
  });
  assert.deepEqual(
    [once.performed, once.results],
    [
      ["A", "B", "C"],
      ["A", "B", "C"],
    ],
  );
  const never = performing(() => {
    throw new Error("never");
  });
  assert.deepEqual(never.results, [undefined, undefined, undefined]);
  assert.equal(never.said.length, 2);
});
