/* A sum by which damage shows: of all 32-bit words, modulo 2 ** 32; as a signed number. */

export function sum(buffer, length = buffer.byteLength) {
  const words = new Int32Array(buffer, 0, length >> 2);
  let total = 0;
  for (let index = 0; index < words.length; index++) total = (total + words[index]) | 0;
  return total;
}
