/* MicroPython's WebAssembly module, taken apart as far as splitting and profiling it needs. */

import { Reader, SECTION, sections } from "./wasm.mjs";

export const FREE = 0x2000000; // below it lies all that the interpreter has
export const GRAIN = 4; // bytes

export class Module {
  constructor(bytes) {
    this.sections = sections(bytes);
    const read = (section) => new Reader(this.sections.get(section) || [0]);

    // Signatures as they are in the file.
    let reader = read(SECTION.types);
    this.types = reader.vector(() => {
      const start = reader.at;
      reader.byte();
      reader.take(reader.number());
      reader.take(reader.number());
      return reader.bytes.subarray(start, reader.at);
    });

    reader = read(SECTION.imports);
    this.imports = reader.vector(() => {
      const start = reader.at;
      reader.text();
      reader.text();
      if (reader.byte() !== 0) throw new Error("the interpreter imports more than functions");
      this.importedTypes = [...(this.importedTypes || []), reader.number()];
      return reader.bytes.subarray(start, reader.at);
    });

    reader = read(SECTION.functions);
    this.functions = reader.vector(() => reader.number()); // the type of each

    reader = read(SECTION.globals);
    this.globals = reader.vector(() => {
      const start = reader.at;
      reader.byte();
      const isVariable = reader.byte();
      reader.byte();
      reader.skipNumber();
      reader.byte();
      return Object.assign(reader.bytes.subarray(start, reader.at), { isVariable });
    });

    reader = read(SECTION.exports);
    this.exports = reader.vector(() => {
      const start = reader.at;
      const name = reader.text();
      const kind = reader.byte();
      const index = reader.number();
      return Object.assign(reader.bytes.subarray(start, reader.at), { exported: name, kind, index });
    });

    reader = read(SECTION.elements);
    this.elements = reader.vector(() => {
      if (reader.number() !== 0) throw new Error("the interpreter's table is filled in an unknown way");
      reader.byte();
      const start = reader.number();
      reader.byte();
      return { start, functions: reader.vector(() => reader.number()) };
    });

    reader = read(SECTION.code);
    this.bodies = reader.vector(() => reader.take(reader.number()));

    reader = read(SECTION.data);
    this.data = reader.vector(() => {
      if (reader.number() !== 0) throw new Error("the interpreter's memory is filled in an unknown way");
      reader.byte();
      const start = reader.number();
      reader.byte();
      return { start, content: reader.take(reader.number()) };
    });
  }

  // The offset of a load, of which the immediates are the alignment and that.
  offsetOf(body, immediates) {
    const reader = new Reader(body);
    reader.at = immediates;
    reader.number();
    return reader.number() | 0;
  }
}
