/*
 * MicroPython's names (qstr): they lie in pools, tables of addresses, hashes and lengths. What can be made of the names
 * themselves isn't sent: the host makes it (web/micropython.js).
 *
 * A pool in memory: words with the pool before it, how many names those before have, room, number of names, the addresses
 * of hashes (two bytes each) and of lengths (a byte each), and from there on the names' own.
 */

const WORD = 4;
const HEAD = 6 * WORD;
const SORTED = 1 << 31; // a bit beside how many names those before have
const FEWEST = 8; // names in a pool that is worth it
const ENOUGH = 0.9; // of the names have the hash that we make: it is a pool

/*
 * Whatever looks like a pool from `start` to `end`, the oldest first: objects with the addresses of its tables and names,
 * and how many it has.
 */
export function pools(bytes, start, end) {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / WORD);
  const found = [];
  for (let at = start; at < end - HEAD; at += WORD) {
    const [before, , count, hashes, lengths] = words.subarray(at / WORD + 1, at / WORD + 6);
    const addresses = at + HEAD;
    if (count < FEWEST || count > 4096 || hashes > end || lengths > end || hashes % 2) continue;
    const names = words.slice(addresses / WORD, addresses / WORD + count);
    if (names.some((name) => name >= end)) continue;
    const right = names.filter(
      (name, index) =>
        hash(bytes, name) === bytes[hashes + 2 * index] + 256 * bytes[hashes + 2 * index + 1] &&
        bytes.indexOf(0, name) - name === bytes[lengths + index],
    );
    if (right.length < count * ENOUGH) continue;
    found.push({ before: before & ~SORTED, addresses, count, hashes, lengths, names });
  }
  return found.sort((one, other) => one.before - other.before);
}

/*
 * Moves the names of these pools to one place, one after the other; how many bytes that takes. Names that nobody has
 * compiled lie in blocks of the heap, of which the last, where more may come, lives as long as a pool has its address: that
 * of its first name stays. `isFirst(address)`: an object of the heap begins there.
 */
export function gather(bytes, found, place, isFirst = () => false) {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / WORD);
  const last = found.flatMap(({ names }) => [...names]).findLast(isFirst);
  let at = place;
  for (const pool of found) {
    const { addresses, names, lengths } = pool;
    pool.texts = at;
    names.forEach((name, index) => {
      const size = bytes[lengths + index] + 1;
      bytes.copyWithin(at, name, name + size);
      if (name !== last) names[index] = words[addresses / WORD + index] = at;
      at += size;
    });
  }
  return at - place;
}

function hash(bytes, at) {
  let value = 5381;
  for (; bytes[at]; at++) value = Math.imul(value, 33) ^ bytes[at];
  return value & 0xffff || 1;
}
