/*
 * fsbridge: the one tag a page includes.
 *
 *   <script src="/fsbridge/fsbridge.js" data-destination="segment-classic" data-org="o-1ABC-na1"></script>
 *
 * At once it stands in for window.analytics (or window.rudderanalytics) and queues calls, with the page and time of
 * each. Then it boots the Python interpreter; once that is live it drains the queue in order, and from then on a call
 * runs synchronously: page call, Python, FullStory call, in one tick.
 */
(function () {
  "use strict";

  var VERSION = "0.1.0";
  var MOST_QUEUED = 1000;
  var APIS = {
    "analytics.js": {
      global: "analytics",
      methods: (
        "track page identify group alias screen load ready reset user on once off emit debug timeout setAnonymousId " +
        "addSourceMiddleware addDestinationMiddleware register deregister trackLink trackClick trackForm trackSubmit " +
        "pageview queryString use init initialize " +
        "addIntegrationMiddleware noConflict normalize log listeners addEventListener removeAllListeners " +
        "removeListener removeEventListener hasListeners add addIntegration"
      ).split(" "),
      chained: { on: 1, once: 1, off: 1, emit: 1, debug: 1, use: 1 },
    },
    rudderanalytics: {
      global: "rudderanalytics",
      methods: (
        "load ready page track identify alias group reset setAnonymousId getAnonymousId getUserId getUserTraits " +
        "getGroupId getGroupTraits startSession endSession getSessionId consent setAuthToken addCustomIntegration " +
        "setCustomContext getCustomContext clearCustomContext setDefaultInstanceKey getAnalyticsInstance"
      ).split(" "),
    },
  };
  var SOURCES = {
    "segment-classic": "analytics.js",
    "segment-actions": "analytics.js",
    rudderstack: "rudderanalytics",
  };
  var OWN = { destination: 1, source: 1, runtime: 1, settings: 1, base: 1 };

  var tag = document.currentScript || document.querySelector("script[data-destination]");
  var data = tag ? tag.dataset : {};
  var source = data.source || SOURCES[data.destination];
  var base = new URL(data.base || ".", (tag && tag.src) || location.href).href;
  var queue = [];
  var receive = null;
  var settle = {};

  var bridge = (window.fsbridge = {
    version: VERSION,
    status: "loading",
    dropped: 0,
    ready: new Promise(function (resolve, reject) {
      settle.resolve = resolve;
      settle.reject = reject;
    }),
  });
  bridge.ready.catch(function () {});

  function moment() {
    var link = document.querySelector("link[rel='canonical']");
    return {
      url: location.href,
      title: document.title,
      referrer: document.referrer,
      canonical: link ? link.getAttribute("href") : null,
      time: Date.now(),
    };
  }

  function say(error) {
    if (window.console) console.error("[fsbridge] " + ((error && error.message) || error));
  }

  // Throws where a value does so when merely looked at, as a revoked Proxy does: a JavaScript exception in the middle
  // of Python would harm MicroPython for good. Getters may throw, those are read with care.
  function look(args) {
    var seen = new Set();
    var waiting = [args];
    while (waiting.length) {
      var value = waiting.pop();
      var isFunction = typeof value === "function";
      if (!value || (typeof value !== "object" && !isFunction) || seen.has(value)) continue;
      seen.add(value);
      void (value instanceof Object || (isFunction && "_ref" in value));
      var list = Array.isArray(value);
      if (Object.prototype.toString.call(value) !== "[object Object]" && !list) continue;
      Object.keys(value).forEach(function (key) {
        try {
          waiting.push(value[key]);
        } catch (error) {
          // a getter
        }
      });
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
    if (bridge.status === "failed") return Promise.resolve();
    if (queue.length >= MOST_QUEUED) {
      queue.shift().resolve();
      bridge.dropped++;
    }
    return new Promise(function (resolve) {
      queue.push({ method: method, args: args, moment: when, resolve: resolve });
    });
  }

  // ``chain`` is what a method returns that the page may call others on, also while it waits.
  function standIn(method, chain) {
    return function () {
      var args = Array.prototype.slice.call(arguments);
      if (receive) return run(method, args);
      var promise = enqueue(method, args, moment());
      return chain || promise;
    };
  }

  // What a vendor's snippet has buffered: [method, ...arguments, page context of Segment's newer snippets].
  function adopt(entries) {
    Array.prototype.forEach.call(entries, function (entry) {
      try {
        var args = Array.prototype.slice.call(entry);
        var method = args.shift();
        var context = args[args.length - 1];
        var when = moment();
        if (context && context.__t === "bpc") {
          args.pop();
          when = { url: context.u, title: context.t, referrer: context.r, canonical: context.c || null, time: Date.now() };
        }
        if (typeof method === "string") enqueue(method, args, when);
      } catch (error) {
        say(error); // no array, or one that throws when it is read
      }
    });
  }

  // Where the settings don't tell which API is wanted, both are there: what a page calls must not be missing.
  (APIS[source] ? [source] : Object.keys(APIS)).forEach(function (name) {
    var api = APIS[name];
    var before = window[api.global];
    var object = (window[api.global] = {});
    api.methods.forEach(function (method) {
      object[method] = standIn(method, (api.chained || {})[method] && object);
    });
    object.push = function () {
      adopt(arguments);
      if (receive) drain();
    };
    if (Array.isArray(before)) {
      if (before._loadOptions) enqueue("load", [before._writeKey, before._loadOptions], moment()); // Segment's snippet
      adopt(before);
      before.push = object.push; // for code that holds on to the buffer
    }
  });

  // All at once, because what a load among them says counts for the calls before it, too.
  function drain() {
    var entries = queue.splice(0).filter(function (entry) {
      try {
        look(entry.args);
        return true;
      } catch (error) {
        say(error);
        entry.resolve();
      }
    });
    var results = run("", entries);
    entries.forEach(function (entry, index) {
      entry.resolve(results[index]);
    });
  }

  function fail(error) {
    bridge.status = "failed";
    say(error);
    queue.splice(0).forEach(function (entry) {
      entry.resolve(); // nobody waits for ever
    });
    settle.reject(error instanceof Error ? error : new Error(error));
  }

  function attributes() {
    var found = {};
    Object.keys(data).forEach(function (key) {
      if (!OWN[key]) found[key] = data[key];
    });
    return found;
  }

  // What Python gets, and how it answers.
  var start = {
    destination: data.destination,
    source: data.source,
    attributes: attributes(),
    settings: data.settings,
    accept: function (receiver) {
      receive = receiver;
    },
    refuse: fail,
    guard: function (f, self, args) {
      try {
        return [f.apply(self, args)];
      } catch (error) {
        return String((error && error.message) || error || "a JavaScript error");
      }
    },
    status: function (status) {
      bridge.status = status;
    },
  };

  function unpack(FS, files) {
    Object.keys(files).forEach(function (path) {
      var folder = "";
      ("fsbridge-lib/" + path)
        .split("/")
        .slice(0, -1)
        .forEach(function (part) {
          folder += "/" + part;
          if (!FS.analyzePath || !FS.analyzePath(folder).exists) {
            try {
              FS.mkdir(folder);
            } catch (error) {
              // it is there already
            }
          }
        });
      FS.writeFile("/fsbridge-lib/" + path, files[path]);
    });
  }

  function interpreter() {
    if (data.runtime === "pyodide") {
      return import(base + "pyodide/pyodide.mjs").then(function (module) {
        return module.loadPyodide({ indexURL: base + "pyodide/" });
      });
    }
    if (data.runtime && data.runtime !== "micropython") {
      throw new Error("unknown data-runtime " + data.runtime + "; accepted: micropython, pyodide");
    }
    return import(base + "micropython/micropython.mjs").then(function (module) {
      return module.loadMicroPython({ heapsize: 2 * 1024 * 1024, linebuffer: true });
    });
  }

  function boot() {
    var files = fetch(base + "fsbridge.json").then(function (response) {
      if (!response.ok) throw new Error("fsbridge.json: " + response.status);
      return response.json();
    });
    return Promise.all([interpreter(), files]).then(function (got) {
      var python = got[0];
      unpack(python.FS, got[1]);
      python.runPython("import sys; sys.path.insert(0, '/fsbridge-lib')");
      python.pyimport("fsbridge.tag").start(start);
      if (!receive) return; // refused: the settings are wrong
      if (bridge.status === "loading") bridge.status = "ready";
      drain();
      settle.resolve(bridge);
    });
  }

  Promise.resolve().then(boot).catch(fail);
})();
