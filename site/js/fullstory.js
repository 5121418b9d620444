// Sees what reaches FullStory, and without an org puts a local stand-in in the place of FullStory's script.
//
// Both need one moment: fsbridge has just made window.FS and is about to ask for fs.js, by setting the `src` of a script
// tag. All of this is for the demo only; your page needs nothing of it.

const METHODS = "identify setUserVars setVars event anonymize shutdown restart log consent".split(" ");
const STAND_IN = "stand-in/fs.js";

/** How many operations the stand-in has taken. */
export let received = 0;

/** Forbid this page every other host, by a policy that the browser enforces. */
export function stayHere() {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
  document.head.append(policy);
}

/** Call `heard(name, args, time)` for every call on FullStory; with `standIn`, keep FullStory's own script away. */
export function watchFullStory(standIn, heard) {
  // The stand-in hands over each operation that it takes.
  if (standIn) window.__fsbridge_testing = () => received++;

  const src = Object.getOwnPropertyDescriptor(HTMLScriptElement.prototype, "src");
  Object.defineProperty(HTMLScriptElement.prototype, "src", {
    ...src,
    set(address) {
      if (typeof window.FS === "function" && String(address).includes("?org=")) {
        Object.defineProperty(HTMLScriptElement.prototype, "src", src);
        window.FS = watched(window.FS, heard);
        if (standIn) address = STAND_IN + new URL(address).search;
      }
      src.set.call(this, address);
    },
  });
}

/** The same FS, which reports the calls on it: FS("trackEvent", …) as well as FS.event(…). */
function watched(fs, heard) {
  let inside = false; // a method such as FS.identify may use FS itself
  function report(name, body, self, args) {
    if (inside) return Reflect.apply(body, self, args);
    inside = true;
    heard(name, args, performance.now());
    try {
      return Reflect.apply(body, self, args);
    } finally {
      inside = false;
    }
  }
  return new Proxy(fs, {
    apply: (target, self, args) => report("FS", target, self, args),
    get(target, name) {
      const value = Reflect.get(target, name);
      if (!METHODS.includes(name) || typeof value !== "function") return value;
      return (...args) => report(`FS.${name}`, value, target, args);
    },
  });
}
