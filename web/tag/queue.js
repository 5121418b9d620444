/*
 * What waits for Python. An entry has a kind; method, args and moment (where the page was, and when); of this page's own
 * calls also resolve; of an earlier page's, carried: true.
 *
 * Kinds other than "call" are set by the tag alone: what a page pushes is a call on its API, and nothing else.
 */

/* A call of the page on its API; a FullStory operation; a message that was on its way when its page was left. */
export const CALL = "call";
export const OPERATION = "operation";
export const MESSAGE = "message";

// What the next page makes, too, if this one can't any more.
const CARRIED = /^(page(view)?|track|identify|alias|group|reset|setAnonymousId|(start|end)Session|screen)$/;
const SETTING_UP = /^(add|on|use|register|setC)/;

const isCarried = ({ kind, method }) => kind !== CALL || CARRIED.test(method);
const isSettingUp = ({ kind, method }) => kind === CALL && SETTING_UP.test(method);

export class Queue {
  #entries = [];
  #limit;
  #onDropped;

  /* `limit` is how many may wait; `onDropped()` hears of each that is one too many. */
  constructor(limit, onDropped) {
    this.#limit = limit;
    this.#onDropped = onDropped;
  }

  add(entry) {
    this.#entries.push(entry);
    this.#become(this.#entries);
  }

  /* Puts entries before all others. */
  addFirst(entries) {
    this.#become([...entries, ...this.#entries]);
  }

  /* Puts entries where their time is; those of earlier pages only behind what sets up this one. */
  mergeIn(sequences) {
    let all = [];
    for (const entries of [...sequences, this.#entries]) all = merge(all, entries);
    this.#become([...all.filter(isSettingUp), ...all.filter((entry) => !isSettingUp(entry))]);
  }

  /* Gives up all entries. */
  takeAll() {
    return this.#entries.splice(0);
  }

  /* Gives up those that another page can make, too. */
  takeCarried() {
    const all = this.takeAll();
    this.#entries = all.filter((entry) => !isCarried(entry));
    return all.filter(isCarried);
  }

  /* Lets nobody wait any longer for what a call gives. */
  release() {
    for (const { resolve } of this.#entries) resolve?.();
  }

  // The oldest go first, but not what sets up the page.
  #become(entries) {
    this.#entries = entries;
    while (entries.length > this.#limit) {
      const index = entries.findIndex(isCarried);
      entries.splice(Math.max(index, 0), 1)[0].resolve?.();
      this.#onDropped();
    }
  }
}

// Two sequences of entries as one, by time: a page's last calls can come after the next page's first.
function merge(entries, others) {
  const merged = [];
  let next = 0;
  for (const entry of entries) {
    while (next < others.length && others[next].moment.time < entry.moment.time) merged.push(others[next++]);
    merged.push(entry);
  }
  return merged.concat(others.slice(next));
}
