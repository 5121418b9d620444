// Everything that a page might pass by mistake or malice. `odd()` makes the values afresh; `provoke` tries them.
(function () {
  "use strict";

  function fail(what) {
    return () => {
      throw new Error(what);
    };
  }

  const traps = {};
  for (const trap of Object.getOwnPropertyNames(Reflect)) traps[trap] = fail("trap " + trap);

  class Shop {
    constructor() {
      this.name = "boots";
    }
    get price() {
      throw new Error("price");
    }
  }

  function revoked() {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  }

  function deep(levels) {
    let value = {};
    for (let i = 0; i < levels; i++) value = { value };
    return value;
  }

  // As a middleware or plugin it lets the message pass.
  function throwing(argument) {
    if (argument && argument.next) argument.next(argument.payload);
    throw new Error("callback");
  }

  window.odd = function () {
    const cycle = { name: "cycle", list: [] };
    cycle.self = cycle;
    cycle.list.push(cycle, cycle.list);
    return {
      undefined: undefined,
      null: null,
      true: true,
      false: false,
      zero: 0,
      negativeZero: -0,
      nan: NaN,
      infinity: Infinity,
      big: 2 ** 40,
      tiny: 5e-324,
      bigint: 2n ** 70n,
      empty: "",
      blank: " ",
      huge: "x".repeat(50000),
      surrogate: "\ud800",
      zeroByte: "a\0b",
      proto: "__proto__",
      symbol: Symbol("symbol"),
      wellKnown: Symbol.iterator,
      date: new Date(0),
      noDate: new Date(NaN),
      regexp: /re/g,
      error: new TypeError("error"),
      map: new Map([[cycle, cycle]]),
      set: new Set([1]),
      weak: new WeakMap(),
      bytes: new Uint8Array(3),
      buffer: new ArrayBuffer(8),
      boxedNumber: new Number(5),
      boxedText: new String("text"),
      boxedFalse: new Boolean(false),
      instance: new Shop(),
      class: Shop,
      bare: Object.create(null),
      heir: Object.create({ inherited: 1 }),
      frozen: Object.freeze({ list: Object.freeze([1]), map: Object.freeze({ a: 1 }) }),
      sealed: Object.freeze(["frozen"]),
      ownProto: JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1, "toString": 2}'),
      array: [],
      nested: [[[]]],
      hole: [, 1], // eslint-disable-line no-sparse-arrays
      long: new Array(100),
      arguments: (function () {
        return arguments;
      })(1, 2),
      cycle,
      cycleInside: { deep: { cycle } },
      deep: deep(100),
      wide: Object.fromEntries(Array.from({ length: 50 }, (_, i) => ["key_" + i, i])),
      getter: {
        get thrower() {
          throw new Error("getter");
        },
      },
      getterInArray: Object.defineProperty([1, 2], 1, { enumerable: true, get: fail("getter in array") }),
      getterInside: { deep: new Shop(), list: [{ get a() { throw new Error("deep getter"); } }] },
      toString: { toString: fail("toString"), valueOf: fail("valueOf") },
      toPrimitive: { [Symbol.toPrimitive]: fail("toPrimitive") },
      toJSON: { toJSON: fail("toJSON") },
      tag: {
        get [Symbol.toStringTag]() {
          throw new Error("tag");
        },
      },
      liar: { [Symbol.toStringTag]: "Array" },
      liarDate: { [Symbol.toStringTag]: "Date" },
      symbolKeys: { [Symbol("key")]: 1, "": 2, "a b": 3, "ключ": 4, "😀": 5 },
      thenable: { then: fail("then") },
      lyingThenable: { get then() { throw new Error("get then"); } },
      rejected: (function () {
        const promise = Promise.reject(new Error("rejected"));
        promise.catch(() => {});
        return promise;
      })(),
      lengths: [{ length: 3 }, { length: -1 }, { length: 1e9 }],
      lengthy: { length: 1e9 },
      proxy: new Proxy({}, traps),
      proxyArray: new Proxy([], traps),
      proxyFunction: new Proxy(function () {}, traps),
      proxyInside: { deep: new Proxy({}, traps), list: [new Proxy([], traps)] },
      revoked: revoked(),
      revokedInside: { list: [revoked()] },
      throwing,
      rejecting: async (argument) => throwing(argument),
      window,
      document,
      element: document.documentElement,
      storage: localStorage,
      module: Reflect,
    };
  };

  /* Calls each method of `api` with each odd value in several places; returns what was thrown, which should be nothing. */
  window.provoke = function (api, methods, shapes) {
    const thrown = [];
    for (const method of methods) {
      for (const [name, value] of Object.entries(odd())) {
        for (const shape of shapes) {
          if (skips(method, name)) continue;
          try {
            const result = api[method](...shape(value));
            if (result instanceof Promise) result.catch(() => {});
          } catch (error) {
            thrown.push(method + "(" + name + "): " + String(error).slice(0, 200));
          }
        }
      }
    }
    return thrown;
  };

  // A middleware that doesn't call next drops every message from then on, as with the vendor.
  function skips(method, name) {
    return /Middleware/.test(method) && /^(class|proxyFunction)$/.test(name);
  }

  window.shapes = {
    every: (value) => [value, value, value, value, value, value],
    property: (value) => ["Odd", { value, list: [value] }, { context: { value }, integrations: value, timestamp: value }],
  };

  // A FullStory that keeps only names: what arrives is not of interest here, that it goes on arriving is.
  window.arrived = [];
  window.FS = function (operation, options) {
    arrived.push(options && options.name);
  };
  for (const method of ["identify", "setUserVars", "setVars", "event"]) {
    FS[method] = (name) => {
      arrived.push(typeof name === "string" ? name.slice(0, 50) : typeof name);
    };
  }
})();
