/**
 * Typed reads from a range of bytes that nobody vouches for.
 *
 * Invariants:
 * - Every read checks its bounds before it allocates; nothing outside `[start, end)` is ever read.
 * - A read that fails throws CHECKPOINT_CORRUPT and no other error.
 */

import { isUtf8 } from "node:buffer";
import { assert } from "../assert.js";
import { StateBackendError } from "../errors.js";

/** Where two 32-bit halves become a double. */
const SCRATCH = new DataView(new ArrayBuffer(8));
/** A varint of a safe integer takes at most this many bytes. */
const VARINT_BYTES_MAX = 8;
const REPLACEMENT_CHARACTER = "\uFFFD";

/** The error for bytes that are not an encoding: `what` is wrong with them, `facts` as `name=value`. */
export function corruptBytes(what: string, facts: string): StateBackendError {
  return new StateBackendError(
    "CHECKPOINT_CORRUPT",
    `Encoded bytes are corrupt: ${what}. ${facts}. Restore another checkpoint and check the storage of this one.`,
  );
}

/** Reads what `ByteWriter` wrote, in the same order. Every read throws a `StateBackendError` CHECKPOINT_CORRUPT past the end. */
export class ByteReader {
  #source: Uint8Array;
  #buffer: Buffer;
  #position: number;
  #end: number;

  /** The reader does not copy `source`: it must not change while it is read. */
  constructor(source: Uint8Array, start = 0, end = source.length) {
    assertRange(source, start, end);
    this.#source = source;
    this.#buffer = asBuffer(source);
    this.#position = start;
    this.#end = end;
  }

  /** Points the reader at another range; cheap if `source` is the same or a `Buffer`. */
  reset(source: Uint8Array, start = 0, end = source.length): void {
    assertRange(source, start, end);
    if (source !== this.#source) {
      this.#source = source;
      this.#buffer = asBuffer(source);
    }
    this.#position = start;
    this.#end = end;
  }

  /** Index in the source of the next byte. */
  get position(): number {
    return this.#position;
  }

  /** Index in the source after the last byte. */
  get end(): number {
    return this.#end;
  }

  /** Bytes left to read. */
  get remaining(): number {
    return this.#end - this.#position;
  }

  /** Passes over `length` bytes. */
  skip(length: number): void {
    this.#advance(length);
  }

  /** A reader of the next `length` bytes, which count as read here. */
  limited(length: number): ByteReader {
    const at = this.#advance(length);
    return new ByteReader(this.#buffer, at, at + length);
  }

  /** Points `reader` at the next `length` bytes, which count as read here. */
  limit(reader: ByteReader, length: number): void {
    const at = this.#advance(length);
    reader.reset(this.#source, at, at + length);
  }

  /** The byte `offset` after the next, which stays unread. */
  peek(offset: number): number {
    const at = this.#position + offset;
    if (!(offset >= 0 && at < this.#end)) throw this.#tooShort(offset + 1);
    return this.#buffer[at] as number;
  }

  /** Steps over `text` if the next bytes are its characters, else stays and returns false. */
  skipText(text: string): boolean {
    const at = this.#position;
    if (text.length > this.#end - at) return false;
    const buffer = this.#buffer;
    for (let index = 0; index < text.length; index++) {
      if (buffer[at + index] !== text.charCodeAt(index)) return false;
    }
    this.#position = at + text.length;
    return true;
  }

  uint8(): number {
    return this.#buffer[this.#advance(1)] as number;
  }

  uint16(): number {
    const at = this.#advance(2);
    const buffer = this.#buffer;
    return ((buffer[at] as number) << 8) | (buffer[at + 1] as number);
  }

  uint32(): number {
    return this.#wordAt(this.#advance(4));
  }

  uint64(): bigint {
    const at = this.#advance(8);
    return (BigInt(this.#wordAt(at)) << 32n) | BigInt(this.#wordAt(at + 4));
  }

  float64(): number {
    const at = this.#advance(8);
    SCRATCH.setUint32(0, this.#wordAt(at));
    SCRATCH.setUint32(4, this.#wordAt(at + 4));
    return SCRATCH.getFloat64(0);
  }

  /** A safe integer `>= 0`. A longer form than needed is refused, so that a number has one encoding. */
  varint(): number {
    const start = this.#position;
    let value = 0;
    let scale = 1;
    for (let count = 1; count <= VARINT_BYTES_MAX; count++) {
      const byte = this.uint8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && count > 1) throw corruptBytes("a varint has needless bytes", `position=${start}`);
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 128;
    }
    throw corruptBytes("a varint is larger than a safe integer", `position=${start}`);
  }

  /** A copy of the next `length` bytes, in memory of its own. */
  bytes(length: number): Uint8Array {
    const at = this.#advance(length);
    return new Uint8Array(this.#buffer.subarray(at, at + length));
  }

  /** The next `length` bytes, without a copy: what is in them is another's as soon as the reading of the value has ended. */
  view(length: number): Buffer {
    const at = this.#advance(length);
    return this.#buffer.subarray(at, at + length);
  }

  /** The next `length` bytes as characters U+0000 to U+00FF. */
  latin1(length: number): string {
    const at = this.#advance(length);
    return this.#buffer.toString("latin1", at, at + length);
  }

  /** Text as `ByteWriter.utf8` writes it. */
  utf8(): string {
    return this.utf8Content(this.varint());
  }

  /** The next `length` bytes as text; bytes that are not UTF-8 are refused. */
  utf8Content(length: number): string {
    const at = this.#advance(length);
    const text = this.#buffer.toString("utf8", at, at + length);
    // Only a text with the replacement character can stem from bytes that are not UTF-8, or be meant so.
    if (text.includes(REPLACEMENT_CHARACTER) && !isUtf8(this.#buffer.subarray(at, at + length))) {
      throw corruptBytes("text is not UTF-8", `position=${at} length=${length}`);
    }
    return text;
  }

  /** Counts `length` bytes as read and returns where they begin. */
  #advance(length: number): number {
    const at = this.#position;
    // Written so that NaN and fractions, which only a hostile length can be, fail too.
    if (!(length >= 0 && length <= this.#end - at)) throw this.#tooShort(length);
    this.#position = at + length;
    return at;
  }

  #tooShort(needed: number): StateBackendError {
    return corruptBytes(
      "they end too early",
      `position=${this.#position} needed=${needed} remaining=${this.remaining}`,
    );
  }

  #wordAt(at: number): number {
    const buffer = this.#buffer;
    const high = ((buffer[at] as number) << 8) | (buffer[at + 1] as number);
    const low = ((buffer[at + 2] as number) << 8) | (buffer[at + 3] as number);
    return ((high << 16) | low) >>> 0;
  }
}

function assertRange(source: Uint8Array, start: number, end: number): void {
  assert(start >= 0 && start <= end && end <= source.length, "a reader's range lies inside its source");
}

function asBuffer(source: Uint8Array): Buffer {
  return Buffer.isBuffer(source) ? source : Buffer.from(source.buffer, source.byteOffset, source.byteLength);
}
