// A visitor in a hurry: makes numbered calls at random moments around the start of the page and leaves in a random way,
// page after page. What was made and what reached FullStory is kept in localStorage, call by call.
(() => {
  "use strict";

  const query = new URLSearchParams(location.search);
  const seed = Number(query.get("seed"));
  const steps = Number(query.get("steps"));
  const here = location.pathname.split("/").pop(); // normal.html, bare.html without the tag, broken.html
  const single = query.get("single"); // a popup or a copy of the tab: one page with a numbering of its own
  let step = 0;
  let random;
  let number = 0;

  function begin() {
    step = Number(sessionStorage.getItem("step") || 0) + 1;
    if (!single) sessionStorage.setItem("step", step);
    let state = (seed * 7919 + step * 104729 + (single ? Number(single.replace(/\D/g, "")) * 31 : 0)) >>> 0;
    random = (bound) => {
      // mulberry32
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * bound);
    };
  }

  // Each page writes to keys of its own: tabs of different processes would overwrite each other's lines.
  const page = Math.random().toString(36).slice(2);
  const { timeOrigin } = performance; // WebKit's is at times a millisecond more, or less
  const append = (key, line) => {
    const own = `${key}:${page}`;
    const time = timeOrigin + performance.now();
    localStorage.setItem(own, `${localStorage.getItem(own) || ""}${time} ${line}\n`);
  };

  function call() {
    if (!window.analytics) return;
    const name = `${single || "tab"}:${page}:${++number}`;
    append("made", name);
    analytics.track(name, { when: new Date(), step });
  }

  const calls = (most) => {
    for (let count = random(most + 1); count > 0; count--) call();
  };

  // A browser may not go where it was told to: back to a page that it has replaced, or in WebKit now and then.
  let insisting = 0;
  const insist = (milliseconds) => {
    insisting = setInterval(() => {
      append("left", "after all");
      location.href = next();
    }, milliseconds);
  };

  // Where the page is in the tab's history: browsers don't let a page go on, or back, before the first one.
  let place = 0;
  function enter() {
    place = history.state?.place ?? Number(sessionStorage.getItem("next") || 0);
    history.replaceState({ place }, "");
    goOn();
  }
  // A page that is left before it has loaded is replaced.
  const goOn = () => sessionStorage.setItem("next", place + (document.readyState === "complete"));

  const address = (page) => `${page}?seed=${seed}&steps=${steps}`;

  function next() {
    const dice = random(10);
    return address(dice === 0 ? "bare.html" : dice === 1 ? "broken.html" : "normal.html");
  }

  const WAYS = {
    link() {
      const link = document.createElement("a");
      link.href = next();
      document.documentElement.append(link);
      link.addEventListener("click", () => calls(2));
      link.click();
    },
    form() {
      const form = document.createElement("form");
      form.action = next().split("?")[0];
      for (const [name, value] of Object.entries({ seed, steps })) {
        const field = document.createElement("input");
        Object.assign(field, { type: "hidden", name, value });
        form.append(field);
      }
      document.documentElement.append(form);
      form.addEventListener("submit", () => calls(2));
      form.requestSubmit();
    },
    location() {
      location.href = next();
    },
    replace() {
      sessionStorage.setItem("next", place);
      location.replace(next());
    },
    reload() {
      location.reload();
    },
    back() {
      if (place > 0) history.back();
      else location.href = next();
    },
    popup() {
      const popup = open(`${address("normal.html")}&single=popup${step}`, `popup${step}`, "width=300,height=300");
      const waiting = setInterval(() => {
        if (popup && !popup.closed) return;
        clearInterval(waiting);
        calls(2);
        location.href = next();
      }, 20);
    },
    // The tab's copy starts with a copy of its sessionStorage.
    copy() {
      open(`${address("normal.html")}&single=copy${step}`);
      location.href = address("normal.html");
    },
  };

  function live() {
    calls(3);
    const moments = random(4);
    for (let count = 0; count < moments; count++) setTimeout(() => calls(3), random(700));
    const wait = random(3) ? random(700) : random(60);
    setTimeout(leave, wait);
  }

  function leave() {
    if (single) return window.close();
    if (step >= steps) return sessionStorage.setItem("over", "yes");
    const names = Object.keys(WAYS);
    const way = here === "bare.html" ? "copy" : names[random(names.length)];
    append("left", way);
    goOn();
    insist(way === "back" ? 1000 : 30_000);
    WAYS[way]();
  }

  if (!single) enter();
  window.arrived = (name) => append("arrived", name);
  begin();
  const late = random(4); // 1: calls in pagehide, 2: in beforeunload, 3: in both
  addEventListener("pagehide", () => late & 1 && calls(2));
  addEventListener("beforeunload", () => late & 2 && calls(2));
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    clearInterval(insisting);
    append("left", "restored");
    begin();
    live();
  });
  live();
})();
