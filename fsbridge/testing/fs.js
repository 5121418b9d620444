// Stands in for FullStory's fs.js in tests: takes over the snippet's queue as the real script does, and hands every
// operation to the test instead of to FullStory. No eval and no requests, so it works under a strict CSP.
(function () {
  "use strict";

  const tag = document.currentScript;
  const namespace = (tag && tag.getAttribute("data-fs-namespace")) || window._fs_namespace || "FS";
  const FS = window[namespace];
  const receive = window.__fsbridge_testing;
  if (typeof FS !== "function" || FS._api || !receive) return;

  const page = Math.random().toString(36).slice(2); // tells page loads apart
  const asked = tag ? new URL(tag.src).searchParams.get("org") : null;
  let org = asked || window._fs_org || "";

  // Values as JSON, with tags for what JSON can't hold; fsbridge/testing/values.py reads them.
  function encode(value, inside) {
    switch (typeof value) {
      case "undefined":
        return { $undefined: true };
      case "number":
        if (Object.is(value, -0)) return { $number: "-0" };
        return isFinite(value) ? value : { $number: String(value) };
      case "bigint":
        return { $bigint: String(value) };
      case "function":
        return { $function: true };
      case "symbol":
        return String(value);
    }
    if (value === null || typeof value !== "object") return value;
    if (inside.includes(value)) return { $circular: true };
    const deeper = inside.concat([value]);
    try {
      if (Array.isArray(value)) return Array.from(value, (item) => encode(item, deeper));
      if (value instanceof Date) return { $date: isNaN(value) ? "Invalid Date" : value.toISOString() };
      if (value instanceof Error) return { $error: value.message };
      const pairs = Object.keys(value).map((key) => [key, encodeProperty(value, key, deeper)]);
      const encoded = Object.fromEntries(pairs);
      return pairs.length === 1 && pairs[0][0][0] === "$" ? { $object: encoded } : encoded;
    } catch (error) {
      return { $error: String(error) };
    }
  }

  function encodeProperty(object, key, inside) {
    try {
      return encode(object[key], inside);
    } catch (error) {
      return { $error: String(error) };
    }
  }

  // The first snippet's own operations, as those of today that they stand for.
  function modernize(operation, value) {
    switch (operation) {
      case "user":
      case "account":
        return ["setProperties", { type: operation, properties: value }];
      case "setVars":
        return ["setProperties", { type: value[0], properties: value[1] }];
      case "event":
        return ["trackEvent", { name: value.n, properties: value.p }];
      case "rec":
        return [value ? "restart" : "shutdown", undefined];
      case "log":
        return ["log", { level: value[0], msg: value[1] }];
      case "consent":
        return ["setIdentity", { consent: value }];
    }
    return [operation, value];
  }

  function sessionUrl() {
    return "https://app.fullstory.com/ui/" + org + "/session/1%3A" + page;
  }

  function answer(operation, options) {
    const wish = options || {};
    if (operation === "getSession") return wish.format === "id" ? "1:" + page : sessionUrl();
    if (operation === "observe") {
      let watching = true;
      setTimeout(() => {
        if (watching && typeof wish.callback === "function") wish.callback({ sessionUrl: sessionUrl(), settings: {} });
      });
      return { disconnect: () => (watching = false) };
    }
    return undefined;
  }

  function api(operation, options, source, resolve, reject, version) {
    if (version === undefined) {
      [operation, options] = modernize(operation, options);
      version = 1;
    }
    if (operation === "init" && options && options.env && options.env.orgId) org = options.env.orgId;
    const received = { operation, options, source, version, org, page, url: location.href, namespace };
    receive(JSON.stringify(encode(received, [])));
    const result = answer(operation, options);
    if (typeof resolve === "function") resolve(result);
    return result;
  }

  const queue = FS.q || [];
  FS._api = api;
  delete FS.q; // the first snippet goes on queueing while there is one
  FS.getCurrentSessionURL = sessionUrl;
  for (const entry of queue) api(...entry);
  if (typeof window._fs_ready === "function") window._fs_ready();
})();
