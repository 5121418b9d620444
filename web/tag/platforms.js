/* Consent platforms, each heard as it documents. They come in a tag of their own, fsbridge-consent.js. */

import { data } from "./attributes.js";
import { others, platforms } from "./consent.js";
import { keys, pause } from "./natives.js";
import { say } from "./say.js";
import { shared, state } from "./shared.js";

// Acts, and throws nothing: what goes wrong is the platform's.
const safely = (act) => (given) => (async () => act(given))().catch(say);

// Reads now, and at events of the window or within.
function follow(events, read) {
  const act = safely((event) => read(event?.detail ?? {}));
  act();
  for (const name of events.split(" ")) addEventListener(name, act, true);
}

// What a platform says. Until the visitor has decided, no isn't a refusal; after a yes it is.
function tell(isGranted, isDecided) {
  if (isGranted || isDecided || shared.isGranted) state.consent(isGranted);
}

others.text = "tcf PURPOSES, google TYPES, onetrust GROUPS, cookiebot CATEGORIES, usercentrics SERVICE";

// Templates in Google's tag manager tell it directly, past the dataLayer, and it notes that here. Updates alone count.
const listenToTagManager = safely(async (types) => {
  while (!window.google_tag_data?.ics?.addListener) await pause(200);
  const { ics } = window.google_tag_data;
  const hear = safely(() => {
    const states = types.map((type) => ics.entries[type] || {});
    if (states.some(({ update }) => update !== undefined))
      tell(
        states.every(({ update, default: standard }) => update ?? standard),
        states.some(({ update }) => update === false),
      );
  });
  hear();
  ics.addListener(types, hear);
});

Object.assign(platforms, {
  /* IAB TCF v2: purposes. It calls again with each change; "cmpuishown" is none. */
  async tcf(purposes) {
    while (!window.__tcfapi) await pause(200);
    const hear = safely((found) => {
      if (/^(tcl|use)/.test(found?.eventStatus))
        tell(found.gdprApplies === false || purposes.every((purpose) => found.purpose.consents[purpose]), true);
    });
    window.__tcfapi("addEventListener", 2, hear);
  },

  /* Google Consent Mode: types. Of defaults for some regions those that deny are taken for ours. */
  google(types) {
    listenToTagManager(types);
    const known = {};
    let isUpdated = false;
    const read = safely(async (entry) => {
      if (entry?.[0] !== "consent") return;
      const [, action, given] = entry;
      const isUpdate = action === "update";
      if (isUpdated && !isUpdate) return;
      isUpdated = isUpdate;
      for (const type of types) {
        const value = given[type];
        if (value && (isUpdate || value === "denied" || !(given.region || known[type]))) known[type] = value;
      }
      await pause(isUpdate ? 0 : given.wait_for_update); // updates made at one go are one decision
      if (isUpdate === isUpdated)
        tell(
          types.every((type) => known[type] === "granted"),
          isUpdate && types.some((type) => given[type] === "denied"),
        );
    });
    const layer = (window.dataLayer = window.dataLayer || []);
    const { push } = layer;
    layer.forEach(read);
    layer.push = (...entries) => {
      entries.forEach(read);
      return push.apply(layer, entries);
    };
  },

  onetrust(groups) {
    follow("OneTrustGroupsUpdated", (detail) => {
      const active = detail.length ? detail : window.OnetrustActiveGroups || window.OptanonActiveGroups;
      const all = `${active}`.split(",");
      if (active)
        tell(
          groups.every((group) => all.includes(group)),
          window.OneTrust?.IsAlertBoxClosed?.(),
        );
    });
  },

  cookiebot(categories) {
    follow("CookiebotOnConsentReady CookiebotOnAccept CookiebotOnDecline", () => {
      const { consent, hasResponse } = window.Cookiebot || {};
      if (consent)
        tell(
          categories.every((category) => consent[category]),
          hasResponse,
        );
    });
  },

  /* A service's name. Version 3 has __ucCmp, version 2 UC_UI; their events may have it all. */
  usercentrics(words) {
    const name = words.join(" ");
    const events = `UC_UI_INITIALIZED UC_UI_CMP_EVENT UC_CONSENT ${data.consentEvent || "ucEvent"}`;
    follow(events, async (detail) => {
      const { __ucCmp: cmp, UC_UI: ui } = window;
      const services =
        detail.services ||
        (await cmp?.getConsentDetails())?.services ||
        (ui?.isInitialized() && ui.getServicesBaseInfo());
      const service = keys(services || {}).find((id) => services[id].name === name);
      const { given, status, type } = service ? services[service].consent : { status: detail[name] };
      tell(given ?? status, /expl|deny|save/i.test(type + detail.type));
    });
  },
});
