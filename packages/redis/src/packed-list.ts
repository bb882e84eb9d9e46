/**
 * A list of bytes as one argument of a script, in MessagePack: a thousand small arguments would take the client longer than anything else.
 *
 *   dd <count: 4>   then for each item   da <length: 2> <bytes>   or, from 65,536 bytes on,   db <length: 4> <bytes>
 */

import { crc32 } from "node:zlib";
import type { BinaryKey } from "@tidemark/core";
import { CHECKSUM_BYTES } from "./envelope.js";

const LIST_HEADER_BYTES = 5;
const ITEM_HEADER_BYTES_MAX = 5;
const INITIAL_BYTES = 16 * 1024;
const SHORT_BYTES_MAX = 0xffff;

export class PackedList {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = LIST_HEADER_BYTES;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Field and sealed value of an entry: two items. */
  addEntry(key: BinaryKey, value: Uint8Array): void {
    const field = this.addKey(key);
    const stored = CHECKSUM_BYTES + value.length;
    this.#begin(stored);
    const bytes = this.#bytes;
    const at = this.#length;
    bytes.writeUInt32BE(crc32(value, crc32(bytes.subarray(field, field + key.length))), at);
    bytes.set(value, at + CHECKSUM_BYTES);
    this.#length += stored;
  }

  /** The field of an entry. Returns where it begins. */
  addKey(key: BinaryKey): number {
    this.#begin(key.length);
    const at = this.#length;
    this.#bytes.write(key, at, "latin1");
    this.#length += key.length;
    return at;
  }

  /** The list so far. It is not added to afterwards. */
  bytes(): Buffer {
    this.#bytes[0] = 0xdd;
    this.#bytes.writeUInt32BE(this.#count, 1);
    return this.#bytes.subarray(0, this.#length);
  }

  #begin(length: number): void {
    this.#reserve(ITEM_HEADER_BYTES_MAX + length);
    if (length <= SHORT_BYTES_MAX) {
      this.#bytes[this.#length] = 0xda;
      this.#length = this.#bytes.writeUInt16BE(length, this.#length + 1);
    } else {
      this.#bytes[this.#length] = 0xdb;
      this.#length = this.#bytes.writeUInt32BE(length, this.#length + 1);
    }
    this.#count += 1;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
