/** The options of `load`. Written by `python -m tools.types`: edit that, or the destinations' settings. */

/** What the tag itself takes. */
export interface TagOptions {
  /** Which API the page calls; by default the vendor's own. */
  source?: "analytics.js" | "rudderanalytics";
  /** The interpreter, of those that were built. */
  runtime?: "micropython" | "pyodide";
  /** The address of the folder with the files; by default this package's. */
  base?: string;
  /** How many calls may wait: 1000. */
  queueCalls?: number;
  /** How many bytes may wait for the next page: 524288. */
  queueBytes?: number;
  /** For how long: 30. */
  queueMinutes?: number;
  /** There is a vendor's SDK, or will be. */
  beside?: boolean;
  /** Take the place of a vendor's SDK. */
  replace?: boolean;
  /** The global that the vendor's SDK is at. */
  global?: string;
  /** RudderStack's id of the custom destination. */
  destinationId?: string;
  /** Send although the vendor's own FullStory destination is active. */
  whenDoubled?: "send";
  /** Put FullStory's session into the context of the SDK's messages. */
  sessionUrl?: boolean;
  /** Who says whether the visitor consents: "wait", "event NAME", "onetrust C0002". */
  consent?: string;
  /** The name of Usercentrics' event. */
  consentEvent?: string;
  /** Global Privacy Control is a refusal. */
  gpc?: boolean;
  /** Nothing starts before the page calls `load` of the API. */
  load?: "page";
  /** Say on the console what FullStory would reject. */
  diagnostics?: boolean;
  /** Write the report to the console a second after the start. */
  report?: boolean;
}

/** FullStory's own options, which every destination takes. */
export interface FullStoryOptions {
  /** Only true: the debugging build of fs.js, unless script is given. */
  debug?: boolean;
  /** Only true: FullStory stops at once, and no call is made on it. */
  devMode?: boolean;
  /** Name of FullStory's global; null and empty are `FS`, too. */
  namespace?: string;
  /** Host that FullStory's recording goes to; null and empty are handed on. */
  host?: string;
  /** Address of fs.js without scheme; null and empty are taken at their word. */
  script?: string;
  /** Host of FullStory's app, for session URLs; null and empty are none. */
  appHost?: string;
  /** Domain of FullStory's cookie; null and empty are FullStory's own choice. */
  cookieDomain?: string;
  /** Capture only this iframe, as a session of its own. */
  recordOnlyThisIFrame?: boolean;
  /** Capture in an iframe of another domain, as a part of the outer page's session. */
  recordCrossDomainIFrames?: boolean;
  /** Capture starts with `FS("start")`, not by itself. */
  startCaptureManually?: boolean;
  /** Id of the asset map that FullStory replays the page with. */
  assetMapId?: string;
  /** The session's uid, which FullStory calls beta. */
  sessionUid?: string;
}

/** The settings of segment-classic, without its org id. */
export interface SegmentClassicSettings extends FullStoryOptions {
  /** FullStory's debug mode: the global `_fs_debug`. */
  debug?: boolean;
  /** Capture only this iframe. */
  isOuterScript?: boolean;
  /** Send page calls that the next two don't take. */
  trackAllPages?: boolean;
  /** Send page calls with a name. */
  trackNamedPages?: boolean;
  /** Send page calls with a category. */
  trackCategorizedPages?: boolean;
  /** Send an event with each page call; null is no. */
  trackPagesWithEvents?: boolean;
}

/** The settings of segment-actions, without its org id. */
export interface SegmentActionsSettings extends FullStoryOptions {
  /** Which messages trigger which action, and how it is filled; left out and null are the presets. */
  subscriptions?: readonly object[];
  /** The destination's name in `integrations` filters. */
  integrationName?: string;
}

/** The settings of rudderstack, without its org id. */
export interface RudderStackSettings extends FullStoryOptions {
  /** FullStory's debug mode: the global `_fs_debug`. */
  fs_debug_mode?: boolean;
  /** Host that FullStory captures to, where host is left out; null and empty, too. */
  fs_host?: string;
  /** The destination's id, by which `sourceConfigurationOverride` names it. */
  id?: string;
  /** Whether the destination is switched on. */
  enabled?: boolean;
  /** Its definition's name; any other is no FullStory. */
  displayName?: string;
  /** WhitelistedEvents or blacklistedEvents; anything else filters nothing. */
  eventFilteringOption?: string;
  /** The track calls to send, as [{"eventName": "…"}]; none without a list. */
  whitelistedEvents?: readonly object[];
  /** The track calls to withhold, as [{"eventName": "…"}]. */
  blacklistedEvents?: readonly object[];
  /** Only cloud sends nothing from the browser, but for the next two. */
  connectionMode?: string;
  /** Only true: device mode even where it is cloud. */
  useNativeSDK?: boolean;
  /** The same in older configurations. */
  useNativeSDKToSend?: boolean;
  /** The consents that are needed, a provider each. */
  consentManagement?: readonly object[];
  /** The same for OneTrust, older. */
  oneTrustCookieCategories?: readonly object[];
  /** The same for Ketch, older. */
  ketchConsentPurposes?: readonly object[];
}

/** FullStory's org id, by any vendor's name for it. */
type Org =
  | { org: string; orgId?: never; fs_org?: never }
  | { org?: never; orgId: string; fs_org?: never }
  | { org?: never; orgId?: never; fs_org: string };

/** What `load` takes. */
export type Options = TagOptions &
  Org &
  (
    | ({ destination: "segment-classic"; settings?: SegmentClassicSettings } & SegmentClassicSettings)
    | ({ destination: "segment-actions"; settings?: SegmentActionsSettings } & SegmentActionsSettings)
    | ({ destination: "rudderstack"; settings?: RudderStackSettings } & RudderStackSettings)
  );
