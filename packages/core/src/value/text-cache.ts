/**
 * Short texts that were read before: the same names of properties, and many of the same values, come back all the time.
 *
 * Invariants:
 * - A cache never grows, and an entry is at most `lengthMax` bytes: nothing that is read can fill the memory.
 * - A cached text is ASCII and is compared byte for byte before it is used.
 */

import type { ByteReader } from "../bytes/byte-reader.js";

const SLOT_COUNT = 512;
const SLOT_SHIFT = 32 - Math.log2(SLOT_COUNT);

/** Reads texts, the same as the same string. */
export class TextCache {
  readonly #slots: string[] = new Array<string>(SLOT_COUNT).fill("");
  readonly #lengthMax: number;

  /** Longer texts than `lengthMax` bytes are read, but not kept. */
  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
  }

  /**
   * The next `length` bytes as text.
   * @throws {StateBackendError} CHECKPOINT_CORRUPT if there are fewer or they are not UTF-8
   */
  read(input: ByteReader, length: number): string {
    if (length === 0 || length > this.#lengthMax || length > input.remaining) return input.utf8Content(length);
    const slot = slotOf(input, length);
    const cached = this.#slots[slot] as string;
    if (cached.length === length && input.skipText(cached)) return cached;
    const text = input.utf8Content(length);
    // As many characters as bytes means ASCII.
    if (text.length === length) this.#slots[slot] = text;
    return text;
  }
}

/** Four bytes and the length, multiplied by the golden ratio; the highest bits are the slot. */
function slotOf(input: ByteReader, length: number): number {
  const last = length - 1;
  const low = input.peek(0) | (input.peek(last >>> 1) << 8);
  const high = input.peek(last) | (input.peek(Math.max(0, last - 1)) << 8);
  return Math.imul((low | (high << 16)) ^ length, 0x9e37_79b1) >>> SLOT_SHIFT;
}
