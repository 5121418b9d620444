/* Right and wrong uses of the npm package's types, for tsc: a wrong one that it takes is an error, too. */

import { load } from "fullstory-bridge";
import type { Fsbridge, Options } from "fullstory-bridge";

// load

const given: Fsbridge | undefined = load({ destination: "segment-classic", org: "o-1ABC-na1", trackNamedPages: true });
load({ destination: "segment-actions", orgId: "o-1ABC-na1", host: "fs.example", subscriptions: [{ name: "All" }] });
load({ destination: "rudderstack", fs_org: "o-1ABC-na1", fs_host: "fs.example", base: "/fsbridge/", beside: true });
load({ destination: "rudderstack", org: "o-1ABC-na1", source: "analytics.js", queueCalls: 10, consent: "onetrust C0002" });
load({ destination: "segment-classic", org: "o-1ABC-na1", settings: { debug: true } });
const options: Options = { destination: "segment-classic", org: "o-1ABC-na1", runtime: "micropython" };
load(options);
// @ts-expect-error: no options
load();
// @ts-expect-error: no destination
load({ org: "o-1ABC-na1" });
// @ts-expect-error: no org id
load({ destination: "segment-classic" });
// @ts-expect-error: two org ids
load({ destination: "segment-classic", org: "o-1ABC-na1", orgId: "o-1ABC-na1" });
// @ts-expect-error: no destination of ours
load({ destination: "segment-clasic", org: "o-1ABC-na1" });
// @ts-expect-error: misspelt
load({ destination: "segment-classic", org: "o-1ABC-na1", trackNamedPage: true });
// @ts-expect-error: another destination's
load({ destination: "segment-classic", org: "o-1ABC-na1", subscriptions: [] });
// @ts-expect-error: of another type
load({ destination: "segment-classic", org: "o-1ABC-na1", trackNamedPages: "yes" });
// @ts-expect-error: of another type
load({ destination: "segment-actions", org: "o-1ABC-na1", subscriptions: "all" });
// @ts-expect-error: no source of ours
load({ destination: "rudderstack", org: "o-1ABC-na1", source: "amplitude" });
// @ts-expect-error: there is no page, perhaps
given.ready;

// window.fsbridge

async function look(): Promise<string> {
  const { version, dropped } = await window.fsbridge.ready;
  window.fsbridge.consent(true);
  fsbridge.attach(analytics);
  fsbridge.report();
  const isReady: boolean = fsbridge.status === "ready";
  // @ts-expect-error: no status
  if (fsbridge.status === "done") return "";
  // @ts-expect-error: is only read
  fsbridge.status = "ready";
  // @ts-expect-error: true or false
  fsbridge.consent("yes");
  // @ts-expect-error: nothing that it has
  fsbridge.track("Clicked");
  return `${version} ${dropped + 1} ${isReady}`;
}
look().then((text) => text.length);
window.fsbridgeConfig = { destination: "segment-classic", org: "o-1ABC-na1" };

// window.analytics

interface Order {
  price: number;
}
const order: Order = { price: 99.95 };
analytics.track("Order Completed", order, { integrations: { All: false, FullStory: true } }, () => {});
analytics.track("Order Completed").then(() => {});
window.analytics.page();
analytics.page("Home");
analytics.page("Shop", "Shoes", { sale: true }, { context: { ip: "0.0.0.0" } });
analytics.page("Home", { sale: true });
analytics.page({ sale: true });
analytics.identify("user-1", { plan: "premium" });
analytics.identify({ plan: "premium" });
analytics.group("team", { seats: 5 });
analytics.alias("user-1", "before");
analytics.on("track", (event: string, properties: object) => [event, properties]).off("track");
analytics.addSourceMiddleware(({ payload, next }) => {
  payload.obj.anonymousId = null;
  next(payload);
});
analytics.ready(() => analytics.user().anonymousId());
analytics.trackLink(document.querySelector("a"), "Left");
analytics.trackForm(document.querySelectorAll("form"), "Sent", { plan: "premium" });
// @ts-expect-error: an event has a name
analytics.track();
// @ts-expect-error: which is text
analytics.track(5);
// @ts-expect-error: properties are no text
analytics.track("Clicked", "blue");
// @ts-expect-error: misspelt
analytics.trak("Clicked");
// @ts-expect-error: no id
analytics.identify(true);

// window.rudderanalytics

rudderanalytics.load("key", "https://data.example", { sessions: { autoTrack: true } });
rudderanalytics.track("Order Completed", order, { integrations: { All: true } }, () => {});
rudderanalytics.page("Shop", "Shoes", { sale: true });
rudderanalytics.page("Home", { sale: true });
rudderanalytics.identify("user-1", { plan: "premium" });
window.rudderanalytics.ready(() => rudderanalytics.getAnonymousId()?.length);
rudderanalytics.reset(true);
// @ts-expect-error: an event has a name
rudderanalytics.track({ price: 5 });
// @ts-expect-error: Segment's
rudderanalytics.screen("Home");
// @ts-expect-error: where to
rudderanalytics.load("key");
