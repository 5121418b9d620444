// Stands in for FullStory's fs.js: takes over the snippet's queue as the real script does, and tells the probe.
(function () {
  "use strict";

  const FS = window.FS;
  const queue = FS.q || [];
  FS._api = function (operation, options, source, resolve) {
    window.bench.received(operation, options);
    if (typeof resolve === "function") resolve();
  };
  delete FS.q; // older snippets go on queueing while there is one
  for (const entry of queue) FS._api(...entry);
})();
