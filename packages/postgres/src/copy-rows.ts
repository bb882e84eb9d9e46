/** Rows of entries in the binary format of COPY. */

import type { StoreEntry } from "@tidemark/core";
import { isLong, storedKey } from "./stored-key.js";
import { storedLength, writeStored } from "./stored-value.js";

const HEADER = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
const TRAILER_BYTES = 2;
/** Number of columns, lengths of four, and the scope. */
const ROW_BYTES = 2 + 4 * 4 + 4;
const FIRST_BYTES = 64 * 1024;
/** So many rows, or bytes of them, are one batch. */
const ROWS_MAX = 40_000;
const BYTES_MAX = 8 * 1024 * 1024;

/** The columns are scope_id, key, tail and value. */
export class CopyRows {
  readonly #scopeId: number;
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #used: number;
  #count = 0;

  constructor(scopeId: number) {
    this.#scopeId = scopeId;
    this.#bytes.set(HEADER);
    this.#used = HEADER.length;
  }

  get isFull(): boolean {
    return this.#count >= ROWS_MAX || this.#used >= BYTES_MAX;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Copies the entry. */
  add({ key, value }: StoreEntry): void {
    const stored = isLong(key) ? storedKey(key) : { key, tail: undefined };
    const length = storedLength(value);
    this.#grow(ROW_BYTES + stored.key.length + (stored.tail?.length ?? 0) + length + TRAILER_BYTES);
    const out = this.#bytes;
    let at = out.writeInt16BE(4, this.#used);
    at = out.writeInt32BE(4, at);
    at = out.writeInt32BE(this.#scopeId, at);
    at = out.writeInt32BE(stored.key.length, at);
    at += out.write(stored.key, at, "latin1");
    at = out.writeInt32BE(stored.tail?.length ?? -1, at);
    if (stored.tail !== undefined) at += out.write(stored.tail, at, "latin1");
    at = out.writeInt32BE(length, at);
    this.#used = writeStored(out, at, key, value);
    this.#count++;
  }

  /** All of them. Nothing is added afterwards. */
  finish(): Buffer {
    this.#bytes.writeInt16BE(-1, this.#used);
    return this.#bytes.subarray(0, this.#used + TRAILER_BYTES);
  }

  #grow(more: number): void {
    const length = this.#used + more;
    if (length <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
  }
}
