/** The values of a batch, as they are sent: each behind its length, one after the other. */

import type { BinaryKey } from "@tidemark/core";
import { storedLength, writeStored } from "./stored-value.js";

const FIRST_BYTES = 16 * 1024;

export class ValueColumn {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #used = 0;
  readonly #starts: number[] = [];

  get count(): number {
    return this.#starts.length;
  }

  /** All of them; valid until the next is added. */
  get elements(): Buffer {
    return this.#bytes.subarray(0, this.#used);
  }

  /** Copies `value`. */
  add(key: BinaryKey, value: Uint8Array): void {
    const length = storedLength(value);
    this.#grow(this.#used + 4 + length);
    this.#starts.push(this.#used);
    const at = this.#bytes.writeInt32BE(length, this.#used);
    this.#used = writeStored(this.#bytes, at, key, value);
  }

  removeLast(): void {
    this.#used = this.#starts.pop() ?? 0;
  }

  #grow(length: number): void {
    if (length <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length));
    larger.set(this.elements);
    this.#bytes = larger;
  }
}
