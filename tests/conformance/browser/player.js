// Plays one page load of a recording in the page itself, and tells what came of it as tagged JSON.
//
// `player.prepare(load)` goes before the tag: FullStory as the recording had it, storage, what a vendor's snippet
// buffered. `player.run()` goes after it: what the page calls before Python is live, then the rest. The outcome is
// in `player.delivered` then, as JSON text, and is what the promise `player.ended` gives. `stage.py` says what a `load`
// holds.
(function () {
  "use strict";

  const NUMBERS = { NaN: NaN, Infinity: Infinity, "-Infinity": -Infinity, "-0": -0 };
  const LEFT_BEHIND = ["FS", "Other", "analytics", "rudderanalytics", "fsbridge", "existingFs", "taken"];
  const PAGE_CALLS = ["$pushState", "$replaceState", "$setTitle", "$setCanonical"];
  const native = { setTimeout: window.setTimeout.bind(window) };
  let load = null; // what is being played
  let outcome = null;
  let end = null; // resolves player.ended
  let delays = 0; // middleware that has yet to go on

  // Tagged JSON

  function decode(tagged, tags = {}) {
    if (Array.isArray(tagged)) return tagged.map((item) => decode(item, tags));
    if (tagged === null || typeof tagged !== "object") return tagged;
    const keys = Object.keys(tagged);
    if (keys.length === 1) {
      const content = tagged[keys[0]];
      switch (keys[0]) {
        case "$undefined":
          return undefined;
        case "$date":
          return new Date(content === "Invalid Date" ? NaN : content);
        case "$number":
          return NUMBERS[content];
        case "$bigint":
          return BigInt(content);
        case "$function":
          return tags.$function ? tags.$function() : function () {};
        case "$error":
          return new Error(content);
      }
      if (Object.hasOwn(tags, keys[0])) return tags[keys[0]](content);
    }
    return Object.fromEntries(keys.map((key) => [key, decode(tagged[key], tags)]));
  }

  function encode(value) {
    if (value === undefined) return { $undefined: true };
    if (typeof value === "number") {
      if (Object.is(value, -0)) return { $number: "-0" };
      return Number.isFinite(value) ? value : { $number: String(value) };
    }
    if (typeof value === "bigint") return { $bigint: String(value) };
    if (typeof value === "function") return { $function: true };
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return Array.from(value, encode);
    if (value instanceof Date) return { $date: isNaN(value) ? "Invalid Date" : value.toISOString() };
    if (value instanceof Error) return { $error: value.message };
    return Object.fromEntries(Object.keys(value).map((key) => [key, encode(value[key])]));
  }

  // The functions that recordings hand over

  function follow(target, path) {
    return path.split(".").reduce((value, key) => (value == null ? undefined : value[key]), target);
  }

  function holds(spec, message) {
    return (spec.where || []).every(([path, value]) => follow(message, path) === value);
  }

  function change(message, [op, path, value]) {
    const parents = path.split(".");
    const last = parents.pop();
    let target = message;
    for (const key of parents) {
      if (target[key] === null || typeof target[key] !== "object") {
        if (op === "delete") return;
        target[key] = {};
      }
      target = target[key];
    }
    if (op === "set") target[last] = decode(value);
    if (op === "delete") delete target[last];
  }

  function middleware(spec) {
    let thrown = false;
    return function ({ payload, next }) {
      if (!holds(spec, payload.obj)) return next(payload);
      for (const op of spec.ops) {
        if (op[0] === "drop") return;
        if (op[0] === "nextNull") return next(null);
        if (op[0] === "throw" || (op[0] === "throwOnce" && !thrown)) {
          thrown = true;
          throw new Error(op[1]);
        }
        if (op[0] === "delay") {
          delays++;
          return new Promise((resolve) => native.setTimeout(resolve, op[1])).then(() => {
            delays--;
            next(payload);
          });
        }
        change(payload.obj, op);
      }
      next(payload);
    };
  }

  function plugin(spec) {
    const made = { name: spec.name, type: spec.type, version: "1", isLoaded: () => true, load: () => Promise.resolve() };
    for (const kind of ["track", "page", "identify", "group", "alias", "screen"]) {
      made[kind] = (context) => {
        if (holds(spec, context.event)) spec.ops.forEach((op) => change(context.event, op));
        return context;
      };
    }
    return made;
  }

  function argument(tagged, index) {
    const called = () => () => void outcome.callbacks.push(index);
    return decode(tagged, { $middleware: middleware, $plugin: plugin, $function: called });
  }

  // The page

  function recorder(name) {
    return function (...args) {
      outcome.calls.push({ call: name, args: args.map(encode) });
      if (load.fs === "throws") throw new Error("FS throws");
    };
  }

  function installFs() {
    if (!load.fs) return;
    window[load.fsName || "FS"] = window.existingFs = madeFs("FS");
    if (load.fsOther) window[load.fsOther] = madeFs(load.fsOther);
  }

  function madeFs(name) {
    const fs = recorder(name);
    if (load.fs !== "bare") load.fsMethods.forEach((method) => (fs[method] = recorder(name + "." + method)));
    return fs;
  }

  function listen() {
    for (const level of ["log", "info", "warn", "error"]) {
      console[level] = (...words) => outcome.console.push([level, words.map(String).join(" ")]);
    }
  }

  function seed() {
    if (load.empty) [localStorage, sessionStorage].forEach((storage) => storage.clear());
    for (const area of ["localStorage", "sessionStorage"]) {
      for (const [key, value] of Object.entries((load.seed || {})[area] || {})) window[area].setItem(key, value);
    }
    for (const [name, value] of Object.entries(load.preset || {})) window[name] = decode(value);
  }

  // Where the page is, as a vendor's newer snippet adds it to each call.
  function where() {
    const link = document.querySelector("link[rel='canonical']");
    const here = { __t: "bpc", u: location.href, p: location.pathname, s: location.search };
    if (link) here.c = link.getAttribute("href");
    return Object.assign(here, { t: document.title, r: document.referrer });
  }

  function buffer() {
    const buffered = [];
    if (load.buffered.load) {
      buffered._writeKey = "wk";
      buffered._loadOptions = decode(load.buffered.load);
    }
    load.buffered.calls.forEach(([method, ...args], index) => {
      if (method[0] === "$") return pageCall(method, args);
      const given = args.map((arg) => argument(arg, index));
      buffered.push(load.buffered.context ? [method, ...given, where()] : [method, ...given]);
    });
    window[load.global] = buffered;
  }

  function pageCall(method, [value]) {
    if (method === "$pushState") history.pushState(null, "", value);
    if (method === "$replaceState") history.replaceState(null, "", value);
    if (method === "$setTitle") document.title = value;
    if (method === "$setCanonical") setCanonical(value);
  }

  function setCanonical(href) {
    let link = document.querySelector("link[rel='canonical']");
    if (link) link.remove();
    if (href === null || href === undefined) return;
    link = document.head.appendChild(document.createElement("link"));
    link.rel = "canonical";
    link.setAttribute("href", href);
  }

  function sleep(milliseconds) {
    return new Promise((resolve) => native.setTimeout(resolve, milliseconds));
  }

  // The bridge works at once, but for slow middleware and what it does with setTimeout(…, 0); fs.js takes its time.
  async function settle() {
    do {
      await sleep(0);
      await sleep(1);
    } while (delays > 0 || (load.awaits === "fs.js" && !window.taken));
    if (load.beside !== undefined) await delivered();
  }

  // Beside a vendor's SDK: Segment's delivers in order, and says when; of RudderStack's as many calls are waited for as
  // there should be, or for a while.
  function hasBegun() {
    const api = window[load.global];
    const isLive = load.global === "analytics" ? api.initialized : !Array.isArray(api);
    return isLive && (window.fsbridge.status === "ready" || load.beside === 0);
  }

  // RudderStack's SDK where the page's script says when it may begin.
  async function sdk() {
    while (Array.isArray(window[load.global])) await sleep(5);
    await sleep(500);
  }

  async function delivered() {
    if (load.global === "analytics") {
      await window.analytics.track("delivered", {}, { integrations: { All: false, ...load.off } });
      return load.beside ? undefined : sleep(500);
    }
    for (let waited = 0; outcome.calls.length < load.beside && waited < 10_000; waited += 10) await sleep(10);
    await sleep(load.beside ? 50 : 500);
  }

  async function step(index, entry) {
    const [method, ...args] = entry;
    const api = window[load.global];
    if (method === "$settle") return settle();
    if (method === "$wait") return sleep(args[0]);
    if (PAGE_CALLS.includes(method)) return pageCall(method, args);
    if (method === "$setLocalStorage") return localStorage.setItem(args[0], args[1]);
    if (method === "$load") return call(index, "load", load.load);
    if (method === "$fs") {
      const [name, ...rest] = args.map((arg) => argument(arg, index));
      return void (name ? window.FS[name](...rest) : window.FS(...rest));
    }
    if (/^\$?(user|group)\./.test(method)) {
      const [owner, inner] = method.replace("$", "").split(".");
      const result = api[owner]()[inner](...args.map((arg) => argument(arg, index)));
      if (load.returns) outcome.returns[index] = encode(result);
      return;
    }
    return call(index, method, args);
  }

  function call(index, method, args) {
    const api = window[load.global];
    if (typeof api[method] !== "function") {
      const error = load.global + "." + method + " is not a function";
      return void outcome.calls.push({ call: "throw", args: [{ $error: error }] });
    }
    const result = api[method](...args.map((arg) => argument(arg, index)));
    if (result !== undefined && load.returns) outcome.returns[index] = encode(result);
  }

  // What else a recording tells of the page afterwards. Asking may change what is stored, so that comes last.
  function snapshot() {
    const fs = window[load.snapshot.namespace];
    const scripts = [...document.querySelectorAll("script")];
    const tag = scripts.find((script) => script.hasAttribute("data-fs-namespace"));
    const globals = Object.keys(window).filter((key) => key.startsWith("_fs_"));
    return {
      globals: encode(Object.fromEntries(globals.map((key) => [key, window[key]]))),
      type: fs === null ? "null" : typeof fs,
      own: fs !== undefined && fs === window.existingFs,
      keys: fs == null ? [] : Object.keys(fs),
      queue: encode(fs == null ? undefined : fs.q),
      taken: encode(window.taken || []),
      script: tag && {
        src: tag.getAttribute("src"),
        async: tag.async,
        crossOrigin: tag.crossOrigin,
        parent: tag.parentNode.tagName,
        isFirst: scripts[0] === tag,
      },
      cookies: document.cookie,
      localStorage: { ...localStorage },
      sessionStorage: { ...sessionStorage },
      reported: Object.fromEntries((load.snapshot.ask || []).map((name) => [name, encode(ask(name))])),
    };
  }

  // "getUserId" or "user.id"
  function ask(name) {
    const [owner, method] = name.split(".");
    const api = window[load.global];
    return method ? api[owner]()[method]() : api[owner]();
  }

  async function play() {
    (load.early || []).forEach(([method, ...args], index) => {
      if (PAGE_CALLS.includes(method)) return pageCall(method, args);
      window[load.global][method](...args.map((arg) => argument(arg, index)));
    });
    try {
      // Where nothing is expected the SDK may never let us begin.
      if (load.consents) await sdk();
      else await Promise.race([window.fsbridge.ready, ...(load.beside === 0 ? [sleep(3000)] : [])]);
    } catch (error) {
      outcome.refused = String((error && error.message) || error);
      return;
    }
    while (load.beside !== undefined && !load.consents && !hasBegun()) await sleep(5);
    for (let index = 0; index < load.script.length; index++) {
      const waiting = step(index, load.script[index]);
      if (["$settle", "$wait"].includes(load.script[index][0])) await waiting;
      else noteErrors(waiting);
    }
    await settle();
    if (load.duration) await sleep(load.duration);
    while (load.awaits === "blocked" && window.fsbridge.status !== "blocked") await sleep(5);
    if (load.snapshot) outcome.snapshot = snapshot();
    outcome.status = window.fsbridge.status;
  }

  // A step that isn't waited for runs at once; what it throws is a finding.
  function noteErrors(promise) {
    promise.catch((error) => outcome.thrown.push(String((error && error.stack) || error)));
  }

  // An interpreter of our own, for what doesn't go through the tag.
  async function boot(runtime) {
    const base = new URL("/fsbridge/", location.href).href;
    const load = async (path) => new Uint8Array(await (await fetch(base + "fsbridge/" + path)).arrayBuffer());
    if (runtime === "pyodide") {
      const module = await import(base + "pyodide/pyodide.js");
      const python = await module.loadPyodide({ indexURL: base + "pyodide/" });
      python.FS.writeFile("/player.zip", await load("fsbridge.zip"));
      python.runPython("import sys; sys.path.insert(0, '/player.zip')");
      return python;
    }
    const module = await import(base + "micropython/micropython.js");
    const romfs = new Uint8Array(await (await fetch("/warm/all.romfs")).arrayBuffer());
    return module.loadMicroPython({ heapsize: 16 * 1024 * 1024, linebuffer: true, romfs });
  }

  // A page as if it were new: what the last load left behind goes.
  let timers = 0;
  function renew(page) {
    window.dispatchEvent(new Event("pagehide")); // or the last page's tag would go on beside this one's
    const last = native.setTimeout(() => {}, 0);
    for (; timers <= last; timers++) clearTimeout(timers);
    for (const name of Object.keys(window)) {
      if (name.startsWith("_fs_") || LEFT_BEHIND.includes(name)) delete window[name];
    }
    document.querySelectorAll("script[src]").forEach((script) => script.remove());
    history.replaceState(null, "", page.url);
    document.title = page.title;
    Object.defineProperty(document, "referrer", { value: page.referrer, configurable: true });
    setCanonical(page.canonical);
  }

  function begin(fresh) {
    outcome = fresh;
    player.delivered = null;
    player.ended = new Promise((resolve) => (end = resolve));
  }

  function deliver(delivered) {
    end((player.delivered = JSON.stringify(delivered)));
  }

  window.player = {
    prepare(given) {
      load = given;
      delays = 0;
      begin({ calls: [], returns: {}, callbacks: [], console: [], thrown: [] });
      listen();
      installFs();
      seed();
      if (load.buffered) buffer();
    },

    run() {
      const mine = outcome;
      play()
        .catch((error) => mine.thrown.push(String((error && error.stack) || error)))
        .then(() => deliver(mine));
    },

    // Boots the interpreter that `again` uses: the tag asks window.warmPython for it (see stage.py).
    warm(runtime) {
      begin({ thrown: [] });
      boot(runtime).then(
        (python) => {
          window.warmPython = python;
          deliver({ thrown: [] });
        },
        (error) => deliver({ thrown: [String(error)] }),
      );
    },

    again(page, given, attributes) {
      renew(page);
      player.prepare(given);
      const tag = document.createElement("script");
      for (const [name, value] of Object.entries(attributes)) tag.setAttribute("data-" + name, value);
      tag.src = "/fsbridge/fsbridge.js";
      tag.onload = player.run;
      document.head.appendChild(tag);
    },

    // Calls `driver.<function>(…arguments)` in Python for each of `calls`, all at once.
    bulk(runtime, driver, calls) {
      begin({ thrown: [] });
      boot(runtime)
        .then((python) => {
          python.FS.writeFile("/driver.py", driver);
          const names = [...new Set(calls.map(([name]) => name))];
          const lines = names.map((name) => `${name} = callback(driver.${name})`);
          python.runPython(["import sys; sys.path.append('/')", "import driver", "from fsbridge.runtime import callback", ...lines].join("\n"));
          const functions = Object.fromEntries(names.map((name) => [name, python.globals.get(name)]));
          return calls.map(([name, ...args]) => {
            try {
              return encode(functions[name](...args.map((arg) => decode(arg))));
            } catch (error) {
              return { thrown: String(error) };
            }
          });
        })
        .then(
          (results) => deliver({ thrown: [], results }),
          (error) => deliver({ thrown: [String(error)] }),
        );
    },
  };

  window.addEventListener("error", (event) => outcome && outcome.thrown.push(String(event.message)));
})();
