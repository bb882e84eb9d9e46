/** Reads numbers and strings of LevelDB's files. What cannot be read is a `Damage`. */

/** Why a file cannot be trusted, for people. */
export class Damage extends Error {}

export class ByteCursor {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** An unsigned number in groups of 7 bits, lowest first; at most 2^53 - 1. LevelDB writes no more groups than it takes. */
  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte === 0 && factor > 1) throw new Damage("a number is longer than it need be");
      if (byte < 0x80) return value;
    }
    throw new Damage("a number has no end");
  }

  byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new Damage("a record is cut short");
    this.at += 1;
    return byte;
  }

  take(length: number): Buffer {
    const end = this.at + length;
    if (end > this.bytes.length) throw new Damage("a record is cut short");
    const part = this.bytes.subarray(this.at, end);
    this.at = end;
    return part;
  }

  /** Bytes behind their length. */
  text(): Buffer {
    return this.take(this.varint());
  }
}
