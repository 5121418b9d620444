// A device-mode integration for RudderStack's SDK that does the least an integration for FullStory can do: it puts a
// small FS on the page, loads fs.js, and hands events on to FS.event.
(function () {
  "use strict";

  class Fullstory {
    constructor(config) {
      this.config = config;
    }

    init() {
      const FS = (window.FS = function (operation, options) {
        if (FS._api) FS._api(operation, options);
        else FS.q.push([operation, options]);
      });
      FS.q = [];
      FS.event = (name, properties) => FS("trackEvent", { name, properties });
      const script = document.createElement("script");
      script.async = true;
      script.src = "https://edge.fullstory.com/s/fs.js?org=" + this.config.fs_org;
      document.head.appendChild(script);
    }

    isReady() {
      return true;
    }

    track({ message }) {
      window.FS.event(message.event, message.properties);
    }
  }

  window.Fullstory_RS = { Fullstory };
})();
