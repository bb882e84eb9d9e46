/**
 * A growing buffer with typed appends; the hot path of every encoder.
 *
 * Invariants:
 * - All multi-byte numbers are big-endian; a varint is unsigned LEB128.
 * - Bytes before `length` never change, except by `patchUint32` and after `truncate` or `reset`.
 */

import { assert } from "../assert.js";
import { StateBackendError } from "../errors.js";

const CAPACITY_BYTES_MIN = 256;
/** What one buffer may hold; every length in our formats fits 32 bits. */
const CAPACITY_BYTES_MAX = 0x7fff_ffff;
/** `take` gives a larger buffer back to the garbage collector, so that one huge value does not stay in memory. */
const KEPT_BYTES_MAX = 1 << 20;
/** Up to here a loop over the characters beats a call into native code (measured on Node 20). */
const LOOP_LENGTH_MAX = 20;

const UINT32_SPAN = 0x1_0000_0000;

/**
 * Appends bytes, numbers and text to a buffer of its own.
 * Every method that appends throws a `StateBackendError` LIMIT_EXCEEDED if the buffer would pass 2 GiB.
 */
export class ByteWriter {
  #buffer: Buffer = Buffer.allocUnsafeSlow(CAPACITY_BYTES_MIN);
  #data: DataView = dataViewOf(this.#buffer);
  #length = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Starts afresh and keeps the memory. Invalidates every view. */
  reset(): void {
    this.#length = 0;
  }

  /** Drops everything from `length` on. */
  truncate(length: number): void {
    assert(length >= 0 && length <= this.#length, "a writer is truncated to a length it has reached");
    this.#length = length;
  }

  /** Appends the low 8 bits of `value`. */
  uint8(value: number): void {
    const at = this.#reserve(1);
    this.#buffer[at] = value;
  }

  /** Appends the low 16 bits of `value`. */
  uint16(value: number): void {
    const at = this.#reserve(2);
    this.#data.setUint16(at, value);
  }

  /** Appends the low 32 bits of `value`. */
  uint32(value: number): void {
    const at = this.#reserve(4);
    this.#data.setUint32(at, value);
  }

  /** Appends the low 64 bits of `value`; a negative one in two's complement. */
  uint64(value: bigint): void {
    const at = this.#reserve(8);
    this.#data.setBigUint64(at, value);
  }

  /** Appends 8 bytes, IEEE 754 double. */
  float64(value: number): void {
    const at = this.#reserve(8);
    this.#data.setFloat64(at, value);
  }

  /** Appends a safe integer `>= 0` in groups of 7 bits, lowest first: 1 to 8 bytes. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 0x8000_0000) {
      this.uint8((rest % 128) | 0x80);
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      this.uint8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.uint8(rest);
  }

  /** Appends a copy of `source`. */
  bytes(source: Uint8Array): void {
    const at = this.#reserve(source.length);
    this.#buffer.set(source, at);
  }

  /** Appends `source[start..end)`. */
  copy(source: Uint8Array, start: number, end: number): void {
    let at = this.#reserve(end - start);
    const buffer = this.#buffer;
    if (end - start > LOOP_LENGTH_MAX) {
      buffer.set(source.subarray(start, end), at);
      return;
    }
    for (let index = start; index < end; index++) buffer[at++] = source[index] as number;
  }

  /** Leaves room for `count` bytes of any content, to be patched. */
  skip(count: number): void {
    this.#reserve(count);
  }

  /** Appends one byte for each character of `text` (U+0000 to U+00FF), beginning with the character at `from`. */
  latin1(text: string, from = 0): void {
    const count = text.length - from;
    let at = this.#reserve(count);
    if (count > LOOP_LENGTH_MAX) {
      this.#buffer.write(from === 0 ? text : text.slice(from), at, count, "latin1");
      return;
    }
    const buffer = this.#buffer;
    for (let index = from; index < text.length; index++) buffer[at++] = text.charCodeAt(index);
  }

  /** Appends the UTF-8 form of well-formed `text`, after its byte length as a varint. */
  utf8(text: string): void {
    const start = this.#length;
    if (text.length <= LOOP_LENGTH_MAX) {
      this.uint8(text.length);
      if (this.ascii(text)) return;
      this.#length = start;
    }
    const byteLength = Buffer.byteLength(text);
    this.varint(byteLength);
    this.utf8Content(text, byteLength);
  }

  /** Appends the UTF-8 form of well-formed `text`, which takes `byteLength` bytes. */
  utf8Content(text: string, byteLength: number): void {
    const at = this.#reserve(byteLength);
    const written = this.#buffer.write(text, at, byteLength, "utf8");
    assert(written === byteLength, "the byte length of a text is that of its UTF-8 form");
  }

  /** Appends `text` if all its characters are ASCII, else appends nothing and returns false. Meant for short text. */
  ascii(text: string): boolean {
    const start = this.#reserve(text.length);
    const buffer = this.#buffer;
    let seen = 0;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      buffer[start + index] = code;
      seen |= code;
    }
    if (seen < 0x80) return true;
    this.#length = start;
    return false;
  }

  /** Overwrites the byte at `at` with the low 8 bits of `value`. */
  patchUint8(at: number, value: number): void {
    assert(at >= 0 && at < this.#length, "only written bytes are patched");
    this.#buffer[at] = value;
  }

  /** Overwrites the four bytes at `at` with `value`. */
  patchUint32(at: number, value: number): void {
    assert(at >= 0 && at + 4 <= this.#length, "only written bytes are patched");
    assert(value >= 0 && value < UINT32_SPAN, "a patched value fits 32 bits");
    this.#data.setUint32(at, value);
  }

  /** The memory that the bytes written are in, from its beginning on; another one as soon as more has to fit. */
  get memory(): Buffer {
    return this.#buffer;
  }

  /** The bytes written from `start` to `end`, without a copy; valid until the next call that writes, resets or takes. */
  view(start = 0, end = this.#length): Buffer {
    assert(start >= 0 && start <= end && end <= this.#length, "a view lies inside what was written");
    return this.#buffer.subarray(start, end);
  }

  /** All bytes written, in a buffer of exactly that size which the caller owns. The writer starts afresh. */
  take(): Buffer {
    const taken = Buffer.allocUnsafeSlow(this.#length);
    this.#buffer.copy(taken, 0, 0, this.#length);
    this.#length = 0;
    if (this.#buffer.length > KEPT_BYTES_MAX) this.#replace(Buffer.allocUnsafeSlow(CAPACITY_BYTES_MIN));
    return taken;
  }

  /** Makes room for `count` bytes, counts them as written, and returns where they go. */
  #reserve(count: number): number {
    const at = this.#length;
    if (at + count > this.#buffer.length) this.#grow(at + count);
    this.#length = at + count;
    return at;
  }

  #grow(neededBytes: number): void {
    if (neededBytes > CAPACITY_BYTES_MAX) {
      throw new StateBackendError(
        "LIMIT_EXCEEDED",
        `Too many bytes for one buffer. needed=${neededBytes} limit=${CAPACITY_BYTES_MAX}. Store the value in smaller parts.`,
      );
    }
    const grown = Buffer.allocUnsafeSlow(Math.min(CAPACITY_BYTES_MAX, Math.max(neededBytes, this.#buffer.length * 2)));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#replace(grown);
  }

  #replace(buffer: Buffer): void {
    this.#buffer = buffer;
    this.#data = dataViewOf(buffer);
  }
}

function dataViewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
