/** fsbridge: a page's Segment or RudderStack calls become FullStory's. Types of `load`, and of what it puts on the page. */

import type { Options } from "./options.js";

export type {
  FullStoryOptions,
  Options,
  RudderStackSettings,
  SegmentActionsSettings,
  SegmentClassicSettings,
  TagOptions,
} from "./options.js";

/**
 * Starts what the tag starts: `analytics` or `rudderanalytics` takes calls from there on.
 *
 * Gives `window.fsbridge`; on a server it does nothing and gives undefined. The first call counts, later ones only give it.
 */
export function load(options: Options): Fsbridge | undefined;

/** How things stand: `waiting` is for consent, `load` or a vendor's SDK, `queueing` for fs.js. */
export type Status = "waiting" | "loading" | "queueing" | "ready" | "blocked" | "doubled" | "failed";

/** `window.fsbridge`. */
export interface Fsbridge {
  readonly version: string;
  readonly status: Status;
  /** Fulfilled when calls go through, rejected when they never will. */
  readonly ready: Promise<Fsbridge>;
  /** How many calls were over a bound, or not consented to. */
  readonly dropped: number;
  /** The visitor agrees, or doesn't any more. */
  consent(granted: boolean): void;
  /** Hangs the tag into an instance of a vendor's SDK. */
  attach(analytics: object): void;
  /** Says on the console what is going on. */
  report(): void;
  /** Shows the inspector: calls, messages, FullStory's calls. It is there once `ready` is fulfilled. */
  inspect(): void;
}

/** Properties, traits and the like. */
export type Data = object;

type Id = string | number | null;
type Callback = (...args: never[]) => unknown;

/** The options of a call of Segment's API. */
export interface CallOptions {
  /** By a destination's name: whether it gets the message. */
  integrations?: Record<string, boolean | Data>;
  context?: Data;
  timestamp?: Date | string;
  anonymousId?: string;
  [name: string]: unknown;
}

/** What source and destination middleware gets. */
export interface Middleware {
  payload: { obj: Record<string, unknown> };
  next(payload?: { obj: object } | null): void;
  [name: string]: unknown;
}

/** A promise of the delivered context. */
type Delivered = Promise<unknown>;

type Named = [name?: string | null, properties?: Data | null, options?: CallOptions | null, callback?: Callback];
type Categorized = [
  category: string | null,
  name: string | null,
  ...rest: Named extends [unknown?, ...infer Rest] ? Rest : never,
];

/** Segment's API, `window.analytics`. Methods whose results pages use (`user`) are there once `fsbridge.ready` is fulfilled. */
export interface AnalyticsJs {
  track(event: string, properties?: Data | null, options?: CallOptions | null, callback?: Callback): Delivered;
  page(...named: Named): Delivered;
  page(...categorized: Categorized): Delivered;
  page(properties: Data, options?: CallOptions | null, callback?: Callback): Delivered;
  screen(...named: Named): Delivered;
  screen(...categorized: Categorized): Delivered;
  screen(properties: Data, options?: CallOptions | null, callback?: Callback): Delivered;
  identify(userId?: Id, traits?: Data | null, options?: CallOptions | null, callback?: Callback): Delivered;
  identify(traits: Data, options?: CallOptions | null, callback?: Callback): Delivered;
  group(groupId?: Id, traits?: Data | null, options?: CallOptions | null, callback?: Callback): Delivered;
  group(traits: Data, options?: CallOptions | null, callback?: Callback): Delivered;
  alias(userId: Id, previousId?: Id, options?: CallOptions | null, callback?: Callback): Delivered;
  load(settings?: string | Data, options?: Data): unknown;
  ready(callback?: Callback): Promise<unknown>;
  reset(): unknown;
  user(): {
    id(id?: Id): Id | undefined;
    anonymousId(id?: string | null): string | null;
    traits(traits?: Data): Record<string, unknown>;
  };
  setAnonymousId(id?: string): unknown;
  on(event: string, callback: Callback): this;
  once(event: string, callback: Callback): this;
  off(event: string, callback?: Callback): this;
  emit(event: string, ...args: unknown[]): this;
  /** Says on the console what FullStory would reject. */
  debug(on?: boolean): this;
  timeout(milliseconds: number): unknown;
  addSourceMiddleware(...middleware: ((step: Middleware) => unknown)[]): Promise<unknown>;
  addDestinationMiddleware(integration: string, ...middleware: ((step: Middleware) => unknown)[]): Promise<unknown>;
  register(...plugins: object[]): Promise<unknown>;
  deregister(...plugins: string[]): Promise<unknown>;
  trackLink(links: Elements, event: string | Callback, properties?: Data | Callback, options?: CallOptions): unknown;
  trackClick(links: Elements, event: string | Callback, properties?: Data | Callback, options?: CallOptions): unknown;
  trackForm(forms: Elements, event: string | Callback, properties?: Data | Callback, options?: CallOptions): unknown;
  trackSubmit(forms: Elements, event: string | Callback, properties?: Data | Callback, options?: CallOptions): unknown;
  pageview(url?: string): Delivered;
  queryString(query: string): unknown;
  use(plugin: Callback): this;
  init(settings?: Data, options?: Data): this;
  initialize(settings?: Data, options?: Data): this;
  /** These are there, and do nothing. */
  addIntegrationMiddleware: Nothing;
  noConflict: Nothing;
  normalize: Nothing;
  log: Nothing;
  listeners: Nothing;
  addEventListener: Nothing;
  removeAllListeners: Nothing;
  removeListener: Nothing;
  removeEventListener: Nothing;
  hasListeners: Nothing;
  add: Nothing;
  addIntegration: Nothing;
}

type Elements = Element | ArrayLike<Element> | null;
type Nothing = (...args: unknown[]) => unknown;

/** The options of a call of RudderStack's API. */
export interface RudderOptions {
  integrations?: Record<string, boolean | Data>;
  anonymousId?: string;
  originalTimestamp?: string;
  [name: string]: unknown;
}

type RudderRest = [options?: RudderOptions | null, callback?: Callback];

/** RudderStack's API, `window.rudderanalytics`. Methods that answer (`get…`) are there once `fsbridge.ready` is fulfilled. */
export interface RudderAnalytics {
  load(writeKey: string, dataPlaneUrl: string, options?: Data): unknown;
  ready(callback: Callback): unknown;
  track(event: string, properties?: Data | null, ...rest: RudderRest): unknown;
  page(name?: string | null, properties?: Data | null, ...rest: RudderRest): unknown;
  page(category: string | null, name: string | null, properties?: Data | null, ...rest: RudderRest): unknown;
  page(properties: Data, ...rest: RudderRest): unknown;
  identify(userId?: Id, traits?: Data | null, ...rest: RudderRest): unknown;
  identify(traits: Data | null, ...rest: RudderRest): unknown;
  alias(to: Id, from?: Id, ...rest: RudderRest): unknown;
  group(groupId: Id, traits?: Data | null, ...rest: RudderRest): unknown;
  group(traits: Data | null, ...rest: RudderRest): unknown;
  reset(resetAnonymousId?: boolean | Data): unknown;
  consent(options?: Data): unknown;
  getUserId(): string | null | undefined;
  getUserTraits(): Record<string, unknown> | null | undefined;
  getGroupId(): string | null | undefined;
  getGroupTraits(): Record<string, unknown> | null | undefined;
  getAnonymousId(options?: Data): string | undefined;
  setAnonymousId(id?: string, rudderAmpLinkerParam?: string): unknown;
  startSession(sessionId?: number): unknown;
  endSession(): unknown;
  getSessionId(): number | null;
  setAuthToken(token: string): unknown;
  setCustomContext(context: Data): unknown;
  getCustomContext(): Record<string, unknown> | undefined;
  clearCustomContext(): unknown;
  /** These are there, and do nothing. */
  addCustomIntegration: Nothing;
  setDefaultInstanceKey: Nothing;
  getAnalyticsInstance: Nothing;
}

declare global {
  var fsbridge: Fsbridge;
  var analytics: AnalyticsJs;
  var rudderanalytics: RudderAnalytics;
  /** What the tag's attributes would say, set before the tag. */
  var fsbridgeConfig: Options | undefined;
}
