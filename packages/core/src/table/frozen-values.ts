/**
 * The keys of a value table that were written in one epoch, with the values that they had at its end.
 *
 * The barrier hands over the keys alone, in constant time. `capture` then fetches the values, in slices. In between, a write to the
 * table first saves the value that it is about to replace (`save`).
 *
 * Invariants:
 * - A key may be listed more than once: it then gives the same row each time.
 * - `ABSENT` stands for a key that had no value at the barrier: it was deleted.
 */

import { assert } from "../assert.js";
import type { ByteWriter } from "../bytes/byte-writer.js";
import type { KeyIdentity } from "../contracts/codec.js";
import type { BinaryKey } from "../key/binary-key.js";
import { keyGroupOf } from "../key/key-groups.js";
import { FLAG_DELETE } from "../segment/entry-block.js";
import type { Slicer } from "../segment/slicer.js";
import type { CellIndex } from "./cell-index.js";
import { type FrozenRows, STRETCH_ROWS } from "./frozen-rows.js";
import type { TableOptions } from "./table-options.js";

const ABSENT = undefined;

export class FrozenValues implements FrozenRows {
  readonly stateId: number;
  readonly #options: TableOptions;
  readonly #identities: readonly KeyIdentity[];
  readonly #index: CellIndex<unknown>;
  readonly #onCaptured: (frozen: FrozenValues) => void;
  /** Values at the barrier of keys that were written since. */
  readonly #saved = new Map<KeyIdentity, unknown>();
  readonly #values: unknown[] = [];
  #capturing: Promise<void> | undefined;

  constructor(
    options: TableOptions,
    identities: readonly KeyIdentity[],
    from: { readonly index: CellIndex<unknown>; readonly onCaptured: (frozen: FrozenValues) => void },
  ) {
    this.stateId = options.stateId;
    this.#options = options;
    this.#identities = identities;
    this.#index = from.index;
    this.#onCaptured = from.onCaptured;
  }

  get count(): number {
    return this.#identities.length;
  }

  /** Keeps the value that a write is about to replace. */
  save(identity: KeyIdentity, value: unknown): void {
    if (!this.#saved.has(identity)) this.#saved.set(identity, value);
  }

  capture(slicer: Slicer): Promise<void> {
    this.#capturing ??= this.#capture(slicer);
    return this.#capturing;
  }

  groupAt(at: number): number {
    const { address, maxParallelism } = this.#options;
    return keyGroupOf(address.hash(this.#identityAt(at)), maxParallelism);
  }

  isDroppedAt(): boolean {
    return false;
  }

  sortKeyAt(at: number): string {
    return this.#options.address.sortKey(this.#identityAt(at));
  }

  keyAt(at: number): BinaryKey {
    return this.#options.address.encode(this.#identityAt(at));
  }

  flagsAt(at: number): number {
    return this.#values[at] === ABSENT ? FLAG_DELETE : 0;
  }

  writeAt(at: number, out: ByteWriter): void {
    const value = this.#values[at];
    if (value !== ABSENT) this.#options.codec.write(value, out);
  }

  completedAt(): void {}

  async #capture(slicer: Slicer): Promise<void> {
    const identities = this.#identities;
    for (let at = 0; at < identities.length; at++) {
      const identity = this.#identityAt(at);
      const isSaved = this.#saved.size > 0 && this.#saved.has(identity);
      this.#values.push(isSaved ? this.#saved.get(identity) : this.#index.get(identity));
      if (at % STRETCH_ROWS === 0 && slicer.isDue()) await slicer.pause();
    }
    this.#saved.clear();
    this.#onCaptured(this);
  }

  #identityAt(at: number): KeyIdentity {
    const identity = this.#identities[at];
    assert(identity !== undefined, "a frozen row is asked for by its place");
    return identity;
  }
}
