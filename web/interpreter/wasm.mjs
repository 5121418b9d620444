/*
 * WebAssembly's binary format, as far as the build reads and writes it: numbers, vectors, sections, and where in a
 * function's code the instructions are that name other functions or read memory.
 */

export const I32 = 0x7f;
export const FUNCTIONS = 0x70;
export const OP = {
  unreachable: 0x00,
  if: 0x04,
  end: 0x0b,
  call: 0x10,
  callIndirect: 0x11,
  localGet: 0x20,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Const: 0x41,
  i32Eqz: 0x45,
};
export const NOTHING = 0x40; // what a block without a result gives

export const SECTION = {
  types: 1,
  imports: 2,
  functions: 3,
  tables: 4,
  memories: 5,
  globals: 6,
  exports: 7,
  elements: 9,
  code: 10,
  data: 11,
};

const HEADER = [0, 97, 115, 109, 1, 0, 0, 0];

// Writing

export const leb = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)]);
export const signed = (value) =>
  value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)];
export const vector = (items) => [
  ...leb(items.length),
  ...items.flatMap((item) => (typeof item === "number" ? item : [...item])),
];
export const text = (value) => vector([...Buffer.from(value)]);
export const sized = (content) => [...leb(content.length), ...content];
export const i32 = (value) => [OP.i32Const, ...signed(value)];

/* A module of these sections, pairs of number and content; of two with one number the latter counts. */
export function program(sections) {
  const sorted = [...new Map(sections)].sort(([one], [other]) => one - other);
  return Buffer.concat([
    Buffer.from(HEADER),
    ...sorted.flatMap(([id, content]) => [Buffer.from([id, ...leb(content.length)]), Buffer.from(content)]),
  ]);
}

// Reading

export class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  byte() {
    return this.bytes[this.at++];
  }

  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }

  // A signed one, of up to 64 bits, whose value is nobody's business.
  skipNumber() {
    while (this.byte() & 128);
  }

  take(size) {
    return this.bytes.subarray(this.at, (this.at += size));
  }

  vector(item) {
    return Array.from({ length: this.number() }, (_, index) => item(index));
  }

  text() {
    return Buffer.from(this.take(this.number())).toString();
  }
}

/* The sections of a module, number → content, without those for debuggers. */
export function sections(bytes) {
  const reader = new Reader(bytes);
  reader.take(HEADER.length);
  const found = new Map();
  while (reader.at < bytes.length) {
    const id = reader.byte();
    const content = reader.take(reader.number());
    if (id) found.set(id, content);
  }
  return found;
}

/* The instructions of a function's body: `[opcode, start, reader]` each, the reader behind the opcode. */
export function* instructions(body) {
  const reader = new Reader(body);
  reader.vector(() => [reader.number(), reader.byte()]); // locals
  while (reader.at < body.length) {
    const start = reader.at;
    const opcode = reader.byte();
    const immediates = reader.at;
    skip(opcode, reader);
    const end = reader.at;
    yield { opcode, start, immediates, end };
  }
}

function skip(opcode, reader) {
  if (opcode >= 0x02 && opcode <= 0x04) return reader.skipNumber(); // a block's type
  if (opcode === 0x0c || opcode === 0x0d) return reader.number(); // branches
  if (opcode === 0x0e) {
    reader.vector(() => reader.number());
    return reader.number();
  }
  if (opcode === OP.call) return reader.number();
  if (opcode === OP.callIndirect) return reader.number() + reader.number();
  if (opcode >= 0x20 && opcode <= 0x26) return reader.number(); // variables
  if (opcode >= 0x28 && opcode <= 0x3e) return reader.number() + reader.number(); // memory
  if (opcode === 0x3f || opcode === 0x40) return reader.byte();
  if (opcode === 0x41 || opcode === 0x42) return reader.skipNumber();
  if (opcode === 0x43) return reader.take(4);
  if (opcode === 0x44) return reader.take(8);
  if (opcode === 0xfc) {
    const which = reader.number();
    if (which < 8) return; // numbers that don't fit
    if (which === 0x0a) return reader.take(2); // memory.copy
    if (which === 0x0b) return reader.take(1); // memory.fill
    throw new Error(`unknown instruction 0xfc ${which}`);
  }
  const plain = opcode <= 0x01 || opcode === 0x05 || opcode === 0x0b || opcode === 0x0f || opcode === 0x1a;
  if (plain || opcode === 0x1b || (opcode >= 0x45 && opcode <= 0xc4)) return;
  throw new Error(`unknown instruction 0x${opcode.toString(16)}`);
}
