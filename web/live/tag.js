/* The tag: what web/tag/shared.js has, and from the interpreter's host `at`, which gives the address of a file of ours. */

export let tag;

export const use = (shared) => (tag = shared);
