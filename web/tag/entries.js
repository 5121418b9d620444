/*
 * What waits, as the tag and web/live know it. An entry has a kind; method, args and moment (where the page was, and when);
 * of this page's own calls also resolve; of an earlier page's, carried: true.
 *
 * Kinds other than "call" are set by our own code alone: what a page pushes is a call on its API, and nothing else.
 */

/* A call of the page on its API; a FullStory operation; a message that was on its way when its page was left. */
export const CALL = "call";
export const OPERATION = "operation";
export const MESSAGE = "message";
/* A message of a vendor's SDK: the message, and an array for each plugin of ours that got it (beside.js). */
export const OF_SDK = "sdk";

/*
 * What a page leaves behind is an item in localStorage: how many calls were dropped, then calls as JSON. Its key goes on with
 * the time, and the tab's name.
 */
export const PREFIX = "fsbridge:left:";
/* Where sessionStorage has the tab's name. */
export const TAB = "fsbridge:tab";
