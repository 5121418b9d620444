// Runs first in every page of the benchmark and takes the times. `bench` is what the driver reads.
//
// A call has been made on FullStory when the snippet's queue takes it ("made"), and FullStory has it when fs.js does
// ("received"). The queue is found by a setter that all functions inherit: a snippet's `FS.q = []` lands there.
(function () {
  "use strict";

  const first = {};
  const longTasks = [];
  const memories = new Set(); // of WebAssembly
  let burst = null; // what it still waits for

  function note(name) {
    if (!(name in first)) first[name] = performance.now();
  }

  // Newer snippets say ("trackEvent", { name }), older ones, Segment's among them, ("event", { n }).
  function eventName(operation, options) {
    return operation === "trackEvent" ? options.name : operation === "event" ? options.n : undefined;
  }

  function isFirst(operation, options) {
    return eventName(operation, options) === "Page Opened";
  }

  Object.defineProperty(Function.prototype, "q", {
    configurable: true,
    get: () => undefined,
    set(queue) {
      note("snippet");
      Object.defineProperty(this, "q", { value: queue, writable: true, configurable: true, enumerable: true });
      queue.push = function (entry) {
        if (isFirst(entry[0], entry[1])) note("made");
        return Array.prototype.push.apply(this, arguments);
      };
    },
  });

  for (const name of ["instantiate", "instantiateStreaming"]) {
    const original = WebAssembly[name];
    WebAssembly[name] = async function (source, imports) {
      const result = await original.apply(WebAssembly, arguments);
      const instance = result.instance || result;
      for (const namespace of [instance.exports, ...Object.values(imports || {})]) {
        for (const value of Object.values(namespace)) if (value instanceof WebAssembly.Memory) memories.add(value);
      }
      note("wasm");
      return result;
    };
  }

  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) longTasks.push({ startTime, duration });
  }).observe({ type: "longtask", buffered: true });

  window.bench = {
    received(operation, options) {
      const name = eventName(operation, options);
      if (name === "Page Opened") {
        note("made");
        note("received");
        console.debug("bench: received");
      }
      if (burst && name === "Product Viewed" && --burst.missing === 0) burst.resolve();
    },

    // `count` calls in one go; settles once FullStory has the last of them, with the milliseconds that took.
    burst(track, count) {
      return new Promise((resolve) => {
        const begun = performance.now();
        burst = { missing: count, resolve: () => resolve(performance.now() - begun) };
        for (let index = 0; index < count; index++) {
          track("Product Viewed", { product_id: "p-" + index, price: 19.9 + index, currency: "EUR", in_stock: true });
        }
      });
    },

    figures() {
      const resources = performance.getEntriesByType("resource");
      return {
        first,
        longTasks,
        marks: performance.getEntriesByType("mark").map(({ name, startTime }) => [name, startTime]),
        resources: resources.map(({ name, startTime, responseEnd }) => [name, startTime, responseEnd]),
        wasm: Array.from(memories).reduce((sum, memory) => sum + memory.buffer.byteLength, 0),
      };
    },
  };
})();
