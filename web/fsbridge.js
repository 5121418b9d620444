/*
 * fsbridge: the one tag a page includes.
 *
 *   <script src="/fsbridge/fsbridge.js" data-destination="segment-classic" data-org="o-1ABC-na1"></script>
 *
 * At once it stands in for window.analytics (or window.rudderanalytics) and queues calls, with the page and time of
 * each. Then it boots the Python interpreter; once that is live it drains the queue in order, and from then on a call
 * runs synchronously: page call, Python, FullStory call, in one tick. What FullStory hasn't got yet when the page is
 * left waits in localStorage for the next page.
 */
(() => {
  "use strict";

  const VERSION = "0.1.0";
  const APIS = {
    "analytics.js": {
      global: "analytics",
      methods:
        "track page identify group alias screen load ready reset user on once off emit debug timeout setAnonymousId " +
        "addSourceMiddleware addDestinationMiddleware register deregister trackLink trackClick trackForm trackSubmit " +
        "pageview queryString use init initialize " +
        "addIntegrationMiddleware noConflict normalize log listeners addEventListener removeAllListeners " +
        "removeListener removeEventListener hasListeners add addIntegration",
      chained: { on: 1, once: 1, off: 1, emit: 1, debug: 1, use: 1 },
    },
    rudderanalytics: {
      global: "rudderanalytics",
      methods:
        "load ready page track identify alias group reset setAnonymousId getAnonymousId getUserId getUserTraits " +
        "getGroupId getGroupTraits startSession endSession getSessionId consent setAuthToken addCustomIntegration " +
        "setCustomContext getCustomContext clearCustomContext setDefaultInstanceKey getAnalyticsInstance",
      chained: {},
    },
  };
  const SOURCES = {
    "segment-classic": "analytics.js",
    "segment-actions": "analytics.js",
    rudderstack: "rudderanalytics",
  };
  // The folders beside the tag; the build puts their hashed names here.
  const FILES = { micropython: "micropython/", pyodide: "pyodide/", fsbridge: "fsbridge/" };
  const OWN = "destination source runtime settings base queueCalls queueBytes queueMinutes".split(" ");

  // What a page leaves behind: an item a page in localStorage, and in sessionStorage the ids of those that the tab's next
  // page inherits. A copied sessionStorage copies ids only: whoever removes an item performs what is in it.
  const ITEM = "fsbridge:left:";
  const HEIR = "fsbridge:heir";
  const GRACE = 2000; // milliseconds that an item waits for its heir before other tabs take it
  const OVERLAP = 300; // milliseconds that a page may run on when the back/forward cache has brought the next one
  const FS_CALL = "FS"; // what waited in FullStory's own queue
  const CARRIED = "track page identify group alias screen reset setAnonymousId startSession endSession FS".split(" ");
  const OF_VISITOR = /^(trackEvent|setIdentity|setProperties)(Async)?$/;

  const tag = document.currentScript || document.querySelector("script[data-destination]");
  const data = tag ? tag.dataset : {};
  const source = data.source || SOURCES[data.destination];
  const base = new URL(data.base || ".", (tag && tag.src) || location.href).href;
  const objects = {};
  let queue = []; // calls that wait: method, args, moment, resolve, carried
  let python = null; // the function that takes calls, once Python is live,
  let receive = null; // and the same while nothing older waits
  const lost = []; // likewise, operations that FullStory didn't get because fs.js is blocked
  let arrived = Date.now();
  let leaving = false;
  let left = null; // what this page leaves behind: id, entries, stored
  let kept = null; // the same of when it was last left, to come back to
  let sweeping = 0;
  let settle;

  const say = (error) => window.console && console.error("[fsbridge] " + ((error && error.message) || error));

  if (window.fsbridge && window.fsbridge.ready) {
    say("the tag is on this page twice; this one, version " + VERSION + ", does nothing");
    return;
  }

  const bridge = (window.fsbridge = { version: VERSION, status: "loading", dropped: 0 });
  bridge.ready = new Promise((resolve, reject) => (settle = { resolve, reject }));
  bridge.ready.catch(() => {});

  // A bound of the queue: the tag's attribute, or the default.
  function limit(name, standard) {
    const given = data[name];
    if (given === undefined || Number(given) > 0) return Number(given || standard);
    const attribute = "data-" + name.replace(/[A-Z]/g, "-$&").toLowerCase();
    say(`${attribute} is "${given}"; accepted: a number greater than 0, such as ${standard}`);
    return standard;
  }

  const mostCalls = limit("queueCalls", 1000);
  const mostBytes = limit("queueBytes", 512 * 1024); // two for each character, as browsers count
  const mostAge = limit("queueMinutes", 30) * 60 * 1000;

  function moment() {
    const link = document.querySelector("link[rel='canonical']");
    return {
      url: location.href,
      title: document.title,
      referrer: document.referrer,
      canonical: link ? link.getAttribute("href") : null,
      time: Date.now(),
    };
  }

  // Throws where a value does so when merely looked at, as a revoked Proxy does: a JavaScript exception in the middle
  // of Python would harm MicroPython for good. Getters may throw, those are read with care.
  function look(args) {
    const seen = new Set();
    const waiting = [args];
    while (waiting.length) {
      const value = waiting.pop();
      const isFunction = typeof value === "function";
      if (!value || (typeof value !== "object" && !isFunction) || seen.has(value)) continue;
      seen.add(value);
      void (value instanceof Object || (isFunction && "_ref" in value));
      const list = Array.isArray(value);
      if (Object.prototype.toString.call(value) !== "[object Object]" && !list) continue;
      for (const key of Object.keys(value)) {
        try {
          waiting.push(value[key]);
        } catch (error) {
          // a getter
        }
      }
    }
  }

  function run(method, args) {
    try {
      look(args);
      return receive(method, args);
    } catch (error) {
      say(error); // ours, never the page's
      return Promise.resolve();
    }
  }

  function enqueue(method, args, when) {
    return new Promise((resolve) => {
      queue.push({ method, args, moment: when, resolve });
      const waits = args[2] && args[2].consentManagement; // then FullStory isn't asked for anything yet
      if (method === "load" && source === "rudderanalytics" && !waits) preloadFullStory();
      if (bridge.status === "failed") resolve(); // nobody waits for ever
      bound();
      if (leaving) leave();
    });
  }

  // The oldest go first.
  function bound() {
    while (queue.length > mostCalls) {
      queue.shift().resolve();
      bridge.dropped++;
    }
  }

  // ``chain`` is what a method returns that the page may call others on, also while it waits.
  const standIn = (method, chain) =>
    function (...args) {
      if (receive) return run(method, args);
      const promise = enqueue(method, args, moment());
      return chain || promise;
    };

  // What a vendor's snippet has buffered: [method, ...arguments, page context of Segment's newer snippets].
  function adopt(entries) {
    for (const entry of Array.from(entries)) {
      try {
        const [method, ...args] = Array.from(entry);
        const context = args[args.length - 1];
        let when = moment();
        if (context && context.__t === "bpc") {
          args.pop();
          when = { ...when, url: context.u, title: context.t, referrer: context.r, canonical: context.c || null };
        }
        if (typeof method === "string") enqueue(method, args, when);
      } catch (error) {
        say(error); // no array, or one that throws when it is read
      }
    }
  }

  // An array that a vendor's snippet buffers in.
  function takeOver(buffer, object) {
    if (buffer.push === object.push) return;
    if (buffer._loadOptions) enqueue("load", [buffer._writeKey, buffer._loadOptions], moment()); // Segment's snippet
    adopt(buffer);
    Reflect.set(buffer, "push", object.push); // for code that holds on to it
    if (receive) drain();
  }

  // For good: a vendor's snippet that comes later sets an array, whose calls are ours too. Anything else is the page's
  // own doing, a wrapper for instance.
  function serve(name, object) {
    let current = object;
    const set = (value) => {
      if (Array.isArray(value)) takeOver(value, object);
      else current = value;
    };
    try {
      Object.defineProperty(window, name, { configurable: true, enumerable: true, get: () => current, set });
    } catch (error) {
      window[name] = object; // the page has declared it with var
    }
  }

  // Where the settings don't tell which API is wanted, both are there: what a page calls must not be missing.
  for (const name of APIS[source] ? [source] : Object.keys(APIS)) {
    const { global, methods, chained } = APIS[name];
    const object = (objects[name] = {});
    for (const method of methods.split(" ")) object[method] = standIn(method, chained[method] && object);
    object.push = (...entries) => {
      adopt(entries);
      if (receive) drain();
    };
    const before = window[global];
    serve(global, object);
    if (Array.isArray(before)) takeOver(before, object);
  }

  // All at once, because what a load among them says counts for the calls before it, too.
  function drain() {
    const entries = queue.splice(0).filter((entry) => {
      try {
        look(entry.args);
        return true;
      } catch (error) {
        say(error);
        entry.resolve();
      }
    });
    const results = run("", entries);
    entries.forEach((entry, index) => entry.resolve(results[index]));
  }

  // Calls go through at once from now on; those that wait, first.
  function open() {
    if (!python || leaving) return;
    receive = python;
    if (bridge.status === "loading") bridge.status = "ready";
    drain();
    settle.resolve(bridge);
    sweepLater();
  }

  // The queue is kept, for the next page.
  function fail(error) {
    bridge.status = "failed";
    say(error);
    queue.forEach((entry) => entry.resolve());
    settle.reject(error instanceof Error ? error : new Error(error));
  }

  // From page to page, as JSON: an array begins with "a", and what JSON can't hold is an array that begins otherwise.

  function encode(key, value) {
    const raw = this[key]; // a Date, before its toJSON
    if (raw instanceof Date) return ["d", +raw];
    if (Array.isArray(value)) return ["a", ...value];
    const type = typeof value;
    if (type === "number" && (!isFinite(value) || Object.is(value, -0))) return ["n", value ? String(value) : "-0"];
    if (type === "bigint") return ["b", String(value)];
    return type === "undefined" || type === "function" || type === "symbol" ? ["u"] : value;
  }

  function decode(key, value) {
    if (!Array.isArray(value)) return value;
    const [type, content] = value;
    if (type === "a") return value.slice(1);
    if (type === "d") return new Date(content === null ? NaN : content);
    return type === "n" ? Number(content) : type === "b" ? BigInt(content) : undefined;
  }

  const fullstory = () => window[window._fs_namespace || "FS"];

  // Whether fs.js is there.
  function isLive() {
    const FS = fullstory();
    return typeof FS === "function" && (!!FS._api || !FS.q);
  }

  // Whether an operation on FullStory is the visitor's, and means something on another page, too.
  const isVisitors = ([operation, options]) => OF_VISITOR.test(operation) && !(options && options.type === "page");

  const asCall = ([operation, options, by, version]) => ({
    method: FS_CALL,
    args: [operation, options, by, version],
    moment: { ...moment(), time: arrived }, // when they were made isn't known, but before the next page
    resolve() {},
  });

  // What waits in FullStory's queue, taken out.
  function takeOperations() {
    const FS = fullstory();
    if (isLive() || !FS || !Array.isArray(FS.q)) return [];
    const goes = (entry) => Array.isArray(entry) && isVisitors(entry);
    const all = FS.q.splice(0);
    FS.q.push(...all.filter((entry) => !goes(entry)));
    return all.filter(goes).map(([operation, options, by, resolve, reject, version]) =>
      asCall([operation, options, by, version])
    );
  }

  // Called when the page is left, and again for calls that are made after that.
  function leave() {
    const goes = (entry) => CARRIED.includes(entry.method);
    left = left || { id: Date.now() + "-" + Math.random().toString(36).slice(2), entries: [] };
    left.entries.push(...lost.splice(0), ...takeOperations(), ...queue.filter(goes));
    queue = queue.filter((entry) => !goes(entry));
    const texts = [];
    let dropped = 0;
    let bytes = 0;
    let calls = 0;
    const fits = (text, count) => (bytes += 2 * text.length) <= mostBytes && (calls += count) <= mostCalls;
    for (const entry of left.entries.slice().reverse()) {
      try {
        const text = JSON.stringify([entry.method, entry.args, entry.moment], encode);
        if (fits(text, 1)) texts.unshift(text);
        else dropped++;
      } catch (error) {
        dropped++; // it goes round in circles, or throws when it is read
      }
    }
    if (!left.entries.length) return;
    try {
      const ids = waitingHeirs().filter((id) => id !== left.id);
      localStorage.removeItem(ITEM + left.id);
      for (const key of items().reverse()) {
        const text = localStorage.getItem(key);
        const count = JSON.parse(text).calls.length - 1;
        if (fits(text, count)) continue;
        localStorage.removeItem(key);
        dropped += count;
      }
      localStorage.setItem(ITEM + left.id, `{"dropped":${dropped},"calls":["a",${texts}]}`);
      left.stored = true;
      sessionStorage.setItem(HEIR, [...ids, left.id].join(" "));
    } catch (error) {
      // storage is full or denied: memory has them if the page comes back
    }
  }

  const waitingHeirs = () => (sessionStorage.getItem(HEIR) || "").split(" ").filter(Boolean);

  // Their keys, the oldest first: an id begins with its time.
  const items = () =>
    Object.keys(localStorage)
      .filter((key) => key.startsWith(ITEM))
      .sort();

  // An item's calls, for whoever comes first.
  function take(id) {
    const text = localStorage.getItem(ITEM + id);
    localStorage.removeItem(ITEM + id);
    if (!text) return [];
    if (kept && kept.id === id) return kept.entries;
    const item = JSON.parse(text, decode);
    const entries = item.calls.map(([method, args, moment]) => ({ method, args, moment, resolve() {}, carried: true }));
    const fresh = entries.filter((entry) => Date.now() - entry.moment.time < mostAge);
    bridge.dropped += item.dropped + entries.length - fresh.length;
    return fresh;
  }

  // Two sequences of calls as one, by time: a page's last calls can come after the next page's first.
  function merge(calls, others) {
    const merged = [];
    let next = 0;
    for (const call of calls) {
      while (next < others.length && others[next].moment.time < call.moment.time) merged.push(others[next++]);
      merged.push(call);
    }
    return merged.concat(others.slice(next));
  }

  // Takes items' calls into the queue; not in two tabs at once. The lock is held a little longer than it takes, until
  // other processes see what was removed.
  function takeAll(ids) {
    return new Promise((resolve) => {
      const act = () => {
        try {
          queue = [...ids().map(take), queue].reduce(merge);
          bound();
        } catch (error) {
          say(error);
        }
        resolve();
        return new Promise((release) => setTimeout(release, 50));
      };
      if (navigator.locks) navigator.locks.request(ITEM, act).catch(act);
      else act();
    });
  }

  // A window that a page has opened begins with a copy of that page's sessionStorage.
  const isOpened = () =>
    window.opener && history.length === 1 && performance.getEntriesByType("navigation")[0].type === "navigate";

  // What this tab's last page left behind.
  async function inherit() {
    try {
      if (isOpened()) sessionStorage.removeItem(HEIR);
      if (!waitingHeirs().length) return;
    } catch (error) {
      return; // storage is denied
    }
    await takeAll(() => {
      const ids = waitingHeirs();
      sessionStorage.removeItem(HEIR);
      return ids;
    });
  }

  // What tabs without a next page left behind, a closed popup for instance, goes through a page that has FullStory.
  function sweep() {
    try {
      const keys = items();
      if (!keys.length) return;
      sweepLater();
      const orphans = keys.map((key) => key.slice(ITEM.length)).filter((id) => Date.now() - parseInt(id, 10) > GRACE);
      if (receive && isLive() && orphans.length) takeAll(() => orphans).then(open);
    } catch (error) {
      // storage is denied
    }
  }

  function sweepLater() {
    clearTimeout(sweeping);
    sweeping = setTimeout(sweep, GRACE);
  }

  addEventListener("storage", (event) => {
    if (event.newValue && String(event.key).startsWith(ITEM)) sweepLater();
  });

  addEventListener("pagehide", () => {
    if (receive && isLive()) return; // FullStory takes calls to the last moment
    leaving = true;
    receive = null;
    leave();
  });

  // Back from the browser's back/forward cache; the page that was left for us may be hidden only after we are shown.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    arrived = Date.now();
    leaving = false;
    receive = null;
    if (left && !left.stored) queue = merge(left.entries, queue);
    kept = left;
    left = null;
    setTimeout(async () => {
      if (leaving) return;
      await inherit();
      open();
    }, OVERLAP);
  });

  const attributes = () => Object.fromEntries(Object.entries(data).filter(([key]) => !OWN.includes(key)));

  // What Python gets, and how it answers.
  const start = {
    destination: data.destination,
    source: data.source,
    attributes: attributes(),
    settings: data.settings,
    objects,
    accept: (receiver) => (python = receiver),
    refuse: fail,
    guard(f, self, ...args) {
      try {
        return [f.apply(self, args)];
      } catch (error) {
        return String((error && error.message) || error || "a JavaScript error");
      }
    },
    // An ordinary function around one of Python's, which gets ``this`` and the arguments in an array.
    method: (body) =>
      function (...args) {
        try {
          look([this, args]);
        } catch (error) {
          return say(error);
        }
        return body(this, args);
      },
    status(status) {
      bridge.status = status;
      if (status !== "ready" || !lost.length) return;
      queue.unshift(...lost.splice(0)); // a late fs.js
      if (receive) drain();
    },
    lost(...operation) {
      if (!isVisitors(operation)) return;
      lost.push(asCall(operation));
      if (lost.length <= mostCalls) return;
      lost.shift();
      bridge.dropped++;
    },
  };

  async function load(path) {
    const response = await fetch(base + path);
    if (!response.ok) throw new Error(path + ": " + response.status);
    return new Uint8Array(await response.arrayBuffer());
  }

  // For what comes only later by itself: asked for now, it arrives with everything else.
  function preload(href, as) {
    const link = document.createElement("link");
    link.rel = "preload";
    link.as = as;
    link.crossOrigin = "anonymous"; // as the later request, or it would come twice
    link.href = href;
    document.head.append(link);
  }

  // fs.js comes while Python starts. Where it really lies is for fsbridge/fullstory/ to say: this is the usual place.
  function preloadFullStory() {
    let given = data;
    try {
      given = { ...JSON.parse(data.settings || "{}"), ...data };
    } catch (error) {
      // Python says it
    }
    const org = String(given.org || given.orgId || given.fs_org);
    const [, region] = /^o-[^-]+-(\w+)$/.exec(org) || [];
    const soon = given.runtime !== "pyodide"; // browsers warn of what isn't used within seconds
    if (!region || !soon || given.host || given.script || given.fs_host || fullstory()) return;
    const edge = region !== "na1" ? `edge.${region}` : "edge";
    preload(`https://${edge}.fullstory.com/s/fs.js?org=${org}`, "script");
  }

  // MicroPython runs the compiled package where it lies: the modules that this destination needs, or all of them.
  async function micropython() {
    const usual = Object.keys(SOURCES).includes(data.destination) && source === SOURCES[data.destination];
    preload(base + FILES.micropython + "micropython.wasm", "fetch");
    const [module, romfs] = await Promise.all([
      import(base + FILES.micropython + "micropython.mjs"),
      load(FILES.fsbridge + (usual ? data.destination : "all") + ".romfs"),
    ]);
    return module.loadMicroPython({ heapsize: 2 * 1024 * 1024, linebuffer: true, romfs });
  }

  async function pyodide() {
    const folders = [base + FILES.pyodide, base + FILES.fsbridge];
    const [{ loadPyodide }, { boot }] = await Promise.all(folders.map((folder) => import(folder + "pyodide.mjs")));
    return boot(loadPyodide, ...folders, VERSION);
  }

  function interpreter() {
    const runtimes = { micropython, pyodide };
    const built = Object.keys(runtimes).filter((name) => FILES[name]);
    const runtime = data.runtime || built[0];
    if (!built.includes(runtime)) throw new Error(`unknown data-runtime ${runtime}; accepted: ${built.join(", ")}`);
    return runtimes[runtime]();
  }

  async function boot() {
    const live = interpreter();
    // A browser's first use of this takes long, and the first message needs it: now, while the interpreter comes.
    if (source === "analytics.js") setTimeout(() => Intl.DateTimeFormat());
    if (source === "analytics.js") preloadFullStory();
    (await live).pyimport("fsbridge.tag").start(start);
    await inherit(); // not before: with the back/forward cache the last page may be hidden after this one has begun
    open();
  }

  boot().catch(fail);
})();
