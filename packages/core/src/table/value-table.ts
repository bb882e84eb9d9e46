/**
 * The table of a state that has one row per key: value, reducing and aggregating state.
 *
 * The values are in one index, current, and nothing else is kept per key. What was written in the epoch is kept once more, as a
 * list: a write costs one insertion and one append, and a barrier takes the list away. When values expire, if they do, is kept beside
 * them: what has expired is here until someone removes it.
 *
 * Invariants:
 * - The table is complete: a key that is not in the index is absent.
 * - Every write is in the lists of its epoch, later ones behind earlier ones.
 */

import { assert } from "../assert.js";
import type { ByteReader } from "../bytes/byte-reader.js";
import type { KeyIdentity } from "../contracts/codec.js";
import type { BinaryKey } from "../key/binary-key.js";
import { FLAG_DELETE } from "../segment/entry-block.js";
import { CellIndex } from "./cell-index.js";
import type { Expiries } from "./expiries.js";
import type { FrozenRows } from "./frozen-rows.js";
import { frozenValues } from "./frozen-values.js";
import { RowMeter } from "./row-meter.js";
import { sortedByGroup } from "./sorted.js";
import { NEVER, readExpiry } from "./stamped.js";
import { CELL_OFFSET, type StateTable } from "./state-table.js";
import { groupOf, ownedGroupOf, type TableOptions } from "./table-options.js";

const EXPIRY_BYTES = 8;
/** Below this length the list of written keys is never gone over for repetitions. */
const WRITTEN_MIN = 2 ** 16;

export class ValueTable implements StateTable {
  readonly stateId: number;
  readonly #options: TableOptions;
  readonly #index = new CellIndex<unknown>();
  readonly #meter: RowMeter;
  readonly #expiries: Expiries | undefined;
  // Keys written in the epoch, with what was written; may name a key more than once.
  #written: KeyIdentity[] = [];
  #writtenValues: unknown[] = [];
  /** Empty if values do not expire. */
  #writtenExpiries: number[] = [];
  /** At this length the lists are rid of repetitions. */
  #writtenMax = WRITTEN_MIN;

  /** With `expiries` values expire, and entries say when. */
  constructor(options: TableOptions, expiries?: Expiries) {
    this.stateId = options.stateId;
    this.#options = options;
    this.#expiries = expiries;
    this.#meter = new RowMeter(options.codec);
  }

  get liveRows(): number {
    return this.#index.size;
  }

  get writtenBytes(): number {
    return this.#written.length * (this.#meter.rowBytes + (this.#expiries === undefined ? 0 : EXPIRY_BYTES));
  }

  // The next three are the hot path of all state. A random access to a large table waits for memory, and the processor looks only
  // a few hundred instructions ahead for the next access to begin: hence no memory of the last key, and no counters per write.

  /** The value of `key`, or `undefined`. */
  get(key: unknown, namespace: BinaryKey): unknown {
    const { address } = this.#options;
    const value = this.#index.get(address.isDirect ? (key as KeyIdentity) : address.identity(key, namespace));
    // What is in the index was checked when it came.
    if (value === undefined) ownedGroupOf(this.#options, key);
    return value;
  }

  /** As `get`, which changes nothing here. Through a time to live it does. */
  peek(key: unknown, namespace: BinaryKey): unknown {
    return this.get(key, namespace);
  }

  /** Stores `value`, which the state owns. */
  put(key: unknown, namespace: BinaryKey, value: unknown): void {
    this.#noteWritten(this.#place(key, namespace, value), value);
  }

  /** As `put`, in a table of values that expire. */
  stamp(key: unknown, namespace: BinaryKey, value: unknown, expiry: number): void {
    const identity = this.#place(key, namespace, value);
    this.#expiries?.set(identity, expiry);
    this.#writtenExpiries.push(expiry);
    this.#noteWritten(identity, value);
  }

  /** Deletes `key`; nothing if it is absent. */
  remove(key: unknown, namespace: BinaryKey): void {
    if (this.get(key, namespace) === undefined) return;
    this.removeCell(this.#options.address.identity(key, namespace));
  }

  /** Deletes a cell that is there. */
  removeCell(identity: KeyIdentity): void {
    this.#index.delete(identity);
    if (this.#expiries !== undefined) {
      this.#expiries.delete(identity);
      this.#writtenExpiries.push(NEVER);
    }
    this.#noteWritten(identity, undefined);
  }

  /** Identities of such present keys, by key group, ascending by encoded key, as they are now. */
  identities(isPresent: (identity: KeyIdentity) => boolean = () => true): Generator<KeyIdentity[], void, undefined> {
    const { address } = this.#options;
    const present: { readonly identity: KeyIdentity; readonly group: number }[] = [];
    for (const identity of this.#index.identities()) {
      if (isPresent(identity)) present.push({ identity, group: groupOf(this.#options, identity) });
    }
    return sortedByGroup(present, ({ identity }) => address.sortKey(identity));
  }

  freeze(): FrozenRows {
    const expiries = this.#expiries === undefined ? undefined : this.#writtenExpiries;
    const written = { identities: this.#written, values: this.#writtenValues, expiries };
    this.#written = [];
    this.#writtenValues = [];
    this.#writtenExpiries = [];
    this.#writtenMax = WRITTEN_MIN;
    return frozenValues(this.#options, written);
  }

  load(key: BinaryKey, flags: number, value: ByteReader): void {
    const { address, codec } = this.#options;
    const { identity, end } = address.decode(key, CELL_OFFSET);
    assert(end === key.length, "a value has one row per key");
    if ((flags & FLAG_DELETE) !== 0) {
      this.#index.delete(identity);
      this.#expiries?.delete(identity);
    } else {
      this.#expiries?.load(identity, readExpiry(value));
      this.#index.set(identity, codec.read(value));
    }
  }

  #place(key: unknown, namespace: BinaryKey, value: unknown): KeyIdentity {
    const { address } = this.#options;
    const identity = address.isDirect ? (key as KeyIdentity) : address.identity(key, namespace);
    if (this.#meter.isDue(this.#written.length + 1)) this.#meter.sample(value);
    if (this.#index.set(identity, value)) this.#checkAdded(key, identity);
    return identity;
  }

  /** Takes back a key that has just been added and may not be there. */
  #checkAdded(key: unknown, identity: KeyIdentity): void {
    try {
      ownedGroupOf(this.#options, key);
    } catch (error) {
      this.#index.delete(identity);
      throw error;
    }
  }

  #noteWritten(identity: KeyIdentity, value: unknown): void {
    this.#written.push(identity);
    this.#writtenValues.push(value);
    if (this.#written.length >= this.#writtenMax) this.#dropRepetitions();
  }

  /** Keeps the lists as short as there are keys, give or take a factor of two, however often they are written. */
  #dropRepetitions(): void {
    if (this.#written.length > 2 * this.#index.size) {
      const last = new Map<KeyIdentity, number>();
      for (const [at, identity] of this.#written.entries()) last.set(identity, at);
      const places = [...last.values()];
      this.#written = [...last.keys()];
      this.#writtenValues = places.map((at) => this.#writtenValues[at]);
      if (this.#expiries !== undefined) this.#writtenExpiries = places.map((at) => this.#writtenExpiries[at] as number);
    }
    this.#writtenMax = 2 * Math.max(this.#written.length, WRITTEN_MIN);
  }
}
