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
    },
    rudderanalytics: {
      global: "rudderanalytics",
      methods:
        "load ready page track identify alias group reset setAnonymousId getAnonymousId getUserId getUserTraits " +
        "getGroupId getGroupTraits startSession endSession getSessionId consent setAuthToken addCustomIntegration " +
        "setCustomContext getCustomContext clearCustomContext setDefaultInstanceKey getAnalyticsInstance",
    },
  };
  const CHAINED = /^(on|once|off|emit|debug|use)$/;
  const SOURCES = {
    __proto__: null, // nobody's destination is "toString"
    "segment-classic": "analytics.js",
    "segment-actions": "analytics.js",
    rudderstack: "rudderanalytics",
  };
  // The folders beside the tag; the build puts their hashed names here.
  const FILES = { micropython: "micropython/", pyodide: "pyodide/", fsbridge: "fsbridge/" };
  const OWN = /^(destination|source|runtime|settings|base|queue(Calls|Bytes|Minutes))$/;

  // What a page leaves behind is an item in localStorage, for the tab's next page. A copied sessionStorage copies the
  // tab's name only: whoever removes an item performs what is in it.
  const ITEM = "fsbridge:left:";
  const TAB = "fsbridge:tab";
  const GRACE = 2000; // milliseconds that an item waits for its heir before other tabs take it
  const OVERLAP = 300; // milliseconds that a page may run on when the next one has begun
  const CARRIED =
    "FS message page track identify alias group reset setAnonymousId startSession endSession screen pageview".split(" ");
  const SETTING_UP = /^(add|on|use|register|setC)/; // what calls of an earlier page need, too
  const OF_VISITOR = /^(trackEvent|setIdentity|setProperties)(Async)?$/;

  const tag = document.currentScript || document.querySelector("script[data-destination]");
  const data = tag ? tag.dataset : {};
  const source = data.source || SOURCES[data.destination];
  const base = new URL(data.base || ".", (tag && tag.src) || location.href).href;
  const objects = {};
  let queue = []; // calls that wait: method, args, moment; of this page, resolve; of an earlier one, carried
  let python = null; // the function that takes calls, once Python is live,
  let receive = null; // and the same while nothing older waits;
  let handBack = null; // and the one that gives back what Python still holds
  const lost = []; // likewise, operations that FullStory didn't get because fs.js is blocked
  let arrived = Date.now();
  let leaving = false;
  let left = null; // what this page leaves behind: key, entries, stored
  let kept = null; // the same of when it was last left, to come back to
  let sweeping = 0;
  let here = {}; // as look has found it last
  let jar; // all cookies, as long as they are known
  let tabName = "";
  let overlaps = false; // whether the tab's last page is yet to be hidden
  let settled = false;
  let outcome;

  const word = () => Math.random().toString(36).slice(2);
  const say = (error) => window.console && console.error("[fsbridge] " + (error?.message || error));

  if (window.fsbridge && window.fsbridge.ready) {
    say(`the tag is on this page twice; this one, ${VERSION}, does nothing`);
    return;
  }

  const bridge = (window.fsbridge = { version: VERSION, status: "loading", dropped: 0 });
  bridge.ready = new Promise((resolve, reject) => (outcome = { resolve, reject }));
  bridge.ready.catch(() => {});

  // A bound of the queue: the tag's attribute, or the default.
  function limit(name, standard) {
    const given = tag && tag.getAttribute(name);
    if (given === null || given > 0) return Number(given || standard);
    say(`${name} is "${given}"; accepted: a number greater than 0`);
    return standard;
  }

  const mostCalls = limit("data-queue-calls", 1000);
  const mostBytes = limit("data-queue-bytes", 512 * 1024); // two for each character, as browsers count
  const mostAge = limit("data-queue-minutes", 30) * 60 * 1000;

  // Where the page is: the same object for as long as that is the same.
  function look() {
    const link = document.querySelector("link[rel='canonical']");
    const now = {
      url: location.href,
      title: document.title,
      referrer: document.referrer,
      canonical: link ? link.getAttribute("href") : null,
    };
    return Object.keys(now).some((key) => now[key] !== here[key]) ? (here = now) : here;
  }

  const moment = () => ({ ...look(), time: Date.now() });

  // Throws where a value does so when merely touched, as a revoked Proxy does: a JavaScript exception in the middle
  // of Python would harm MicroPython for good. Getters may throw, those are read with care.
  function touch(args) {
    const seen = new Set();
    const waiting = [args];
    while (waiting.length) {
      const value = waiting.pop();
      if (!value || !/^(object|function)$/.test(typeof value) || seen.has(value)) continue;
      seen.add(value);
      if (Object.prototype.toString.call(value) !== "[object Object]" && !Array.isArray(value)) continue;
      for (const key of Object.keys(value)) {
        try {
          waiting.push(value[key]);
        } catch {
          // a getter
        }
      }
    }
  }

  function run(method, args) {
    try {
      touch(args);
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
      bound(queue);
      if (leaving) leave();
    });
  }

  const isCarried = (entry) => CARRIED.includes(entry.method);

  // The oldest go first, but not what sets up the page.
  function bound(calls) {
    while (calls.length > mostCalls) {
      const [entry] = calls.splice(Math.max(calls.findIndex(isCarried), 0), 1);
      entry.resolve?.();
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
    for (const entry of [...entries]) {
      try {
        const [method, ...args] = [].slice.call(entry, 0, 99); // anything may say that it is long
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

  // A vendor's snippet after us begins with ``window.analytics = window.analytics || []``. As long as its script runs it
  // finds no initialize, without which it would leave out its own first calls, and can't replace our methods.
  function shield(object) {
    const ours = Object.entries(object).filter(([, value]) => typeof value === "function");
    const given = {};
    for (const [name, method] of ours) {
      const get = () => (name === "initialize" ? undefined : method);
      Object.defineProperty(object, name, { configurable: true, get, set: (value) => (given[name] = value) });
    }
    queueMicrotask(() => {
      for (const [name] of ours) delete object[name];
      // Every snippet has a load of its own. Without, it was the page itself, which may wrap a method.
      Object.assign(object, Object.fromEntries(ours), given.load ? {} : given);
    });
  }

  // For good: a vendor's snippet that comes later sets an array, whose calls are ours too. Anything else is the page's
  // own doing, a wrapper for instance.
  function serve(name, object) {
    let current = object;
    const set = (value) => {
      if (value === object) shield(object);
      if (Array.isArray(value)) takeOver(value, object);
      else current = value;
    };
    try {
      Object.defineProperty(window, name, { configurable: true, enumerable: true, get: () => current, set });
    } catch {
      window[name] = object; // the page has declared it with var
    }
  }

  // Where the settings don't tell which API is wanted, both are there: what a page calls must not be missing.
  for (const name of APIS[source] ? [source] : Object.keys(APIS)) {
    const { global, methods } = APIS[name];
    const object = (objects[name] = {});
    for (const method of methods.split(" ")) object[method] = standIn(method, CHAINED.test(method) && object);
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
        touch(entry.args);
        return true;
      } catch (error) {
        say(error);
        entry.resolve?.();
      }
    });
    const results = run("", entries);
    entries.forEach((entry, index) => entry.resolve?.(results[index]));
  }

  // Calls go through at once from now on; those that wait, first.
  function open() {
    if (!python || leaving) return;
    receive = python;
    if (bridge.status === "loading") bridge.status = "ready";
    drain();
    settle();
    outcome.resolve(bridge);
    sweepLater();
  }

  // The queue is kept, for the next page.
  function fail(error) {
    bridge.status = "failed";
    say(error);
    queue.forEach((entry) => entry.resolve?.());
    outcome.reject(error instanceof Error ? error : new Error(error));
  }

  // From page to page, as JSON: how many calls were dropped, and calls. In those an array begins with "a", and what JSON
  // can't hold is an array that begins otherwise.

  function encode(key, value) {
    const raw = this[key]; // a Date, before its toJSON
    if (raw instanceof Date) return ["d", +raw];
    if (Array.isArray(value)) return ["a", ...value];
    const type = typeof value;
    if (Object.is(value, -0)) return ["n", "-0"];
    if (type === "number" && !isFinite(value)) return ["n", String(value)];
    if (type === "bigint") return ["b", String(value)];
    return type === "undefined" || type === "function" || type === "symbol" ? ["u"] : value;
  }

  function decode(value) {
    if (!value || typeof value !== "object") return value;
    if (!Array.isArray(value)) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
    }
    const [type, content] = value;
    if (type === "a") return value.slice(1).map(decode);
    if (type === "d") return new Date(decode(content));
    return type === "n" ? Number(content) : type === "b" ? BigInt(content) : undefined;
  }

  function fullstory() {
    return window[window._fs_namespace || "FS"];
  }

  // Whether fs.js is there.
  function isLive() {
    const FS = fullstory();
    return typeof FS === "function" && (!!FS._api || !FS.q);
  }

  // Whether an operation on FullStory is the visitor's, and means something on another page, too.
  const isVisitors = ([operation, options]) => OF_VISITOR.test(operation) && !(options && options.type === "page");

  const asCall = (args) => ({
    method: "FS",
    args,
    moment: { ...moment(), time: arrived }, // when they were made isn't known, but before the next page
  });

  // What waits in FullStory's queue, taken out.
  function takeOperations() {
    const FS = fullstory();
    if (isLive() || !FS || !Array.isArray(FS.q)) return [];
    const goes = (entry) => Array.isArray(entry) && isVisitors(entry);
    const all = FS.q.splice(0);
    FS.q.push(...all.filter((entry) => !goes(entry)));
    return all.filter(goes).map((entry) => asCall([...entry.slice(0, 3), entry[5]]));
  }

  // What Python still holds, such as calls that a slow middleware keeps waiting.
  function takeBack() {
    try {
      return [...handBack()];
    } catch {
      return []; // there is no Python yet
    }
  }

  // Called when the page is left, and again for calls that are made after that.
  function leave() {
    left = left || { key: `${ITEM}${Date.now()}-${tabName}-${word()}`, entries: [] };
    left.entries.push(...lost.splice(0), ...takeOperations(), ...takeBack(), ...queue.filter(isCarried));
    if (!left.entries.length) return;
    queue = queue.filter((entry) => !isCarried(entry));
    const texts = [];
    let { dropped } = bridge;
    let bytes = 0;
    let calls = 0;
    const size = (text) => 2 * text.length;
    const fits = (text, count) => (bytes += size(text)) <= mostBytes && (calls += count) <= mostCalls;
    for (const entry of left.entries.slice().reverse()) {
      try {
        const text = JSON.stringify([entry.method, entry.args, entry.moment], encode);
        if (size(text) <= mostBytes && fits(text, 1)) texts.unshift(text);
        else dropped++;
      } catch {
        dropped++; // it goes round in circles, or throws when it is read
      }
    }
    try {
      localStorage.removeItem(left.key);
      for (const key of items().reverse()) {
        const item = read(key);
        if (fits(localStorage.getItem(key), item.entries.length)) continue;
        localStorage.removeItem(key);
        dropped += item.dropped + item.entries.length;
      }
      localStorage.setItem(left.key, `[${[dropped, ...texts]}]`);
      left.stored = true;
    } catch {
      // storage is full or denied: memory has them if the page comes back
    }
  }

  function note(mark) {
    try {
      sessionStorage.setItem(TAB, tabName + mark);
    } catch {
      // storage is denied
    }
  }

  // Nothing waits any more that the tab's next page would have to know of.
  function settle() {
    settled = receive && isLive();
    try {
      if (settled) sessionStorage.removeItem(TAB);
    } catch {
      // storage is denied
    }
  }

  // A name that the tab's pages share, with a "+" as long as one may leave something: it may be hidden only after the
  // next one has begun. A window that a page has opened begins with a copy of that page's.
  function enter() {
    settled = false;
    tabName = tabName || word();
    try {
      const [{ type }] = performance.getEntriesByType("navigation");
      const isOpened = window.opener && history.length === 1 && type === "navigate";
      const found = (!isOpened && sessionStorage.getItem(TAB)) || tabName;
      tabName = found.split("+")[0];
      overlaps = found !== tabName;
    } catch {
      // storage is denied
    }
    note("+");
  }

  // The keys of all, the oldest first: they go on with the time, and the tab's name.
  const items = () =>
    Object.keys(localStorage)
      .filter((key) => key.startsWith(ITEM))
      .sort();

  // An item's content, without what has become too old; nothing where it isn't ours.
  function read(key) {
    try {
      const [dropped, ...calls] = JSON.parse(localStorage.getItem(key));
      const entries = calls
        .map(decode)
        .map(([method, args, moment]) => ({ method, args, moment, carried: true }))
        .filter((entry) => Date.now() - entry.moment.time < mostAge);
      return { dropped: dropped + calls.length - entries.length, entries };
    } catch {
      return { dropped: 0, entries: [] };
    }
  }

  // An item's calls, for whoever comes first.
  function take(key) {
    const { dropped, entries } = read(key);
    const own = kept && kept.key === key && localStorage.getItem(key);
    localStorage.removeItem(key);
    if (own) return kept.entries;
    bridge.dropped += dropped;
    return entries;
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

  // Calls of earlier pages come before those of this one, but not before the middleware that this one adds.
  function receiveAll(calls) {
    const late = ({ method }) => !SETTING_UP.test(method);
    queue = [...calls, queue].reduce(merge).sort((one, other) => late(one) - late(other)); // which is stable
    bound(queue);
  }

  // Takes items' calls into the queue; not in two tabs at once. The lock is held a little longer than it takes, until
  // other processes see what was removed.
  function takeAll(keys) {
    return new Promise((resolve) => {
      const act = () => {
        try {
          if (!leaving) receiveAll(keys().map(take));
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

  // What this tab's last pages left behind.
  async function inherit() {
    const own = () => items().filter((key) => key.split("-")[1] === tabName);
    try {
      const until = Date.now() + OVERLAP;
      while (overlaps && Date.now() < until) {
        await pause(20);
        overlaps = (sessionStorage.getItem(TAB) || tabName) !== tabName;
      }
      note("+");
      if (own().length) await takeAll(own);
    } catch {
      // storage is denied
    }
  }

  // What tabs without a next page left behind, a closed popup for instance, goes through a page that has FullStory.
  function sweep() {
    try {
      const keys = items();
      if (!keys.length) return;
      sweepLater();
      const orphans = keys.filter((key) => Date.now() - parseInt(key.slice(ITEM.length), 10) > GRACE);
      if (receive && isLive() && orphans.length) takeAll(() => orphans).then(open);
    } catch {
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
    if (!tabName) enter();
    const live = isLive() && receive;
    leaving = true;
    receive = null;
    leave();
    if (left.entries.length || !settled) note("");
    if (left.entries.length || !live) return;
    leaving = false; // FullStory takes calls to the last moment
    receive = live;
  });

  // Back from the browser's back/forward cache.
  addEventListener("pageshow", async (event) => {
    if (!event.persisted) return;
    enter();
    arrived = Date.now();
    leaving = false;
    receive = null;
    if (left && !left.stored) queue = merge(left.entries, queue);
    kept = left;
    left = null;
    await inherit();
    open();
  });

  // What Python gets, and how it answers.
  const config = {
    destination: data.destination,
    source: data.source,
    attributes: Object.fromEntries(Object.entries(data).filter(([key]) => !OWN.test(key))),
    settings: data.settings,
    objects,
    look,
    // document.cookie; read once for all that code does at one go, for that takes longer than the rest of a call.
    cookies(line) {
      if (line) document.cookie = line;
      else if (jar === undefined) queueMicrotask(() => (jar = undefined));
      return (jar = line ? undefined : (jar ?? document.cookie));
    },
    accept: (receiver, holder) => ([python, handBack] = [receiver, holder]),
    refuse: fail,
    guard: function guard(f, self, ...args) {
      try {
        return f.apply(self, args);
      } catch (error) {
        guard.message = String(error?.message || error || "a JavaScript error");
        return guard;
      }
    },
    // An ordinary function around one of Python's, which gets ``this`` and the arguments in an array. Where it ``trusts``
    // them nothing is touched.
    method: (body, trusts) =>
      function (...args) {
        try {
          trusts || touch([this, args]);
        } catch (error) {
          return say(error);
        }
        return body(this, args);
      },
    status(status) {
      bridge.status = status;
      settle();
      if (status !== "ready" || !lost.length) return;
      queue.unshift(...lost.splice(0)); // a late fs.js
      if (receive) drain();
    },
    lost(...operation) {
      if (!isVisitors(operation)) return;
      lost.push(asCall(operation));
      bound(lost);
    },
  };

  async function fetched(path) {
    const response = await fetch(base + path);
    if (!response.ok) throw new Error(path + ": " + response.status);
    return response;
  }

  const load = async (path) => new Uint8Array(await (await fetched(path)).arrayBuffer());

  // For what comes only later by itself: asked for now, it arrives with everything else.
  function preload(href, as) {
    const link = document.createElement("link");
    // With crossOrigin as the later request has it, or it would come twice.
    document.head.append(Object.assign(link, { rel: "preload", as, crossOrigin: "anonymous", href }));
  }

  // fs.js comes while Python starts. Where it really lies is for fsbridge/browser/fullstory/ to say: this is the usual place.
  function preloadFullStory() {
    let given = data;
    try {
      given = { ...JSON.parse(data.settings || "{}"), ...data };
    } catch {
      // Python says it
    }
    const org = String(given.org || given.orgId || given.fs_org);
    const [, region] = /^o-[^-]+-(\w+)$/.exec(org) || [];
    const soon = given.runtime !== "pyodide"; // browsers warn of what isn't used within seconds
    const host = given.host || given.fs_host || "fullstory.com"; // which RudderStack's configurations name
    if (!region || !soon || host !== "fullstory.com" || given.script || fullstory()) return;
    const edge = region !== "na1" ? `edge.${region}` : "edge";
    preload(`https://${edge}.fullstory.com/s/fs.js?org=${org}`, "script");
  }

  // MicroPython with the modules that this destination needs, or all of them.
  async function micropython() {
    const usual = source && source === SOURCES[data.destination];
    const parts = [
      fetched(FILES.micropython + "micropython.wasm"),
      load(FILES.fsbridge + (usual ? data.destination : "all") + ".snapshot"),
    ];
    parts.forEach((part) => part.catch(() => {})); // boot says it
    const { boot } = await import(base + FILES.fsbridge + "micropython.mjs");
    return boot(...parts);
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

  // What browsers take milliseconds for at the first time, done while the interpreter is on its way.
  function prepare() {
    if (!tabName) enter();
    try {
      items();
      document.cookie;
    } catch {
      // storage is denied
    }
  }

  // Between the steps of the start the page may do what it has to.
  const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));

  async function boot() {
    const coming = interpreter();
    if (source === "analytics.js") preloadFullStory();
    pause().then(prepare); // not awaited: what is coming may fail at once
    const live = await coming;
    live.pyimport("fsbridge.browser.tag").start(config);
    await pause();
    await inherit();
    open();
  }

  boot().catch(fail);
})();
