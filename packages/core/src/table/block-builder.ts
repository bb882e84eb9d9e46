/** Makes a block of entries, one after the other, in memory that is used again for the next block. */

import { assert } from "../assert.js";
import { ByteWriter } from "../bytes/byte-writer.js";
import { type BinaryKey, EMPTY_KEY, joinKeys } from "../key/binary-key.js";
import type { EntryBlock } from "../segment/entry-block.js";

export class BlockBuilder {
  readonly #values = new ByteWriter();
  #prefix: BinaryKey = EMPTY_KEY;
  #keys: BinaryKey[] = [];
  #flags: number[] = [];
  #starts: number[] = [];

  /** Bytes of all values so far. */
  get bytes(): number {
    return this.#values.length;
  }

  /** Begins a new block, whose keys begin with `prefix`. The one before is of no use any more. */
  begin(prefix: BinaryKey): void {
    this.#prefix = prefix;
    this.#values.reset();
    this.#keys = [];
    this.#flags = [];
    this.#starts = [];
  }

  /** Begins an entry. Its value is what is written until the next one begins. */
  append(key: BinaryKey, flags: number): ByteWriter {
    return this.appendWhole(joinKeys(this.#prefix, key), flags);
  }

  /** As `append`, under a key that has the prefix already. */
  appendWhole(key: BinaryKey, flags: number): ByteWriter {
    this.#keys.push(key);
    this.#flags.push(flags);
    this.#starts.push(this.#values.length);
    return this.#values;
  }

  /** Takes the last entry back. */
  retract(): void {
    assert(this.#starts.length > 0, "an entry is taken back that was appended");
    this.#keys.pop();
    this.#flags.pop();
    this.#values.truncate(this.#starts.pop() as number);
  }

  finish(): EntryBlock {
    const starts = this.#starts;
    const length = this.#values.length;
    const ends = starts.map((_, at) => starts[at + 1] ?? length);
    return { count: starts.length, keys: this.#keys, flags: this.#flags, bytes: this.#values.view(), starts, ends };
  }
}
