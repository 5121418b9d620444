/* Sequences of entries as one. */

import { CALL } from "../tag/entries.js";

const SETTING_UP = /^(add|on|use|register|setC)/;
const isSettingUp = ({ kind, method }) => kind === CALL && SETTING_UP.test(method);

/* This page's entries with those of earlier pages where their time is, but only behind what sets up this one. */
export function merged(own, sequences) {
  let all = [];
  for (const entries of sequences) all = merge(all, [...entries].sort(byTime)); // a page may give up its first calls last
  all = merge(all, own);
  return [...all.filter(isSettingUp), ...all.filter((entry) => !isSettingUp(entry))];
}

const byTime = (one, other) => one.moment.time - other.moment.time;

// Two sequences by time: a page's last calls can come after the next page's first.
function merge(entries, others) {
  const found = [];
  let next = 0;
  for (const entry of entries) {
    while (next < others.length && others[next].moment.time < entry.moment.time) found.push(others[next++]);
    found.push(entry);
  }
  return found.concat(others.slice(next));
}
