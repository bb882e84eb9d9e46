/**
 * The table of the timers of one kind: what is to happen when, for which key and namespace.
 *
 *   buckets   time ─▶ the identities of its timers: one, or a set
 *   heap      the distinct times, smallest first; a time without a bucket is left over and is passed over
 *   head      the bucket of the smallest time, sorted by encoding, while it is being taken from
 *
 * Invariants:
 * - A timer is its time, key and namespace: it is there once or not at all.
 * - Every change is in the lists of its epoch, later ones behind earlier ones; what changes nothing is not.
 */

import { assert } from "../assert.js";
import { corruptBytes } from "../bytes/byte-reader.js";
import type { KeyIdentity } from "../contracts/codec.js";
import { type BinaryKey, joinKeys } from "../key/binary-key.js";
import { decodeNumber, encodeNumber } from "../key/number-key.js";
import { FLAG_DELETE } from "../segment/entry-block.js";
import { CellIndex } from "./cell-index.js";
import type { FrozenRows } from "./frozen-rows.js";
import { sortedByKey } from "./sorted.js";
import { CELL_OFFSET, type StateTable } from "./state-table.js";
import { groupOf, ownedGroupOf, type TableOptions } from "./table-options.js";
import { TimeHeap } from "./time-heap.js";

/** Times that are left over in the heap are cleared out when there are more of them than of others, and more than this. */
const LEFT_OVER_MIN = 1024;
/** A change in memory until its checkpoint has completed: a time, an identity, a flag. */
const CHANGE_BYTES = 48;

/** A timer of the table. */
export interface TimerCell {
  readonly time: number;
  readonly identity: KeyIdentity;
}

interface Head {
  readonly time: number;
  /** Ascending; holds what is in the bucket, and maybe what is not any more. */
  readonly identities: KeyIdentity[];
  at: number;
}

export class TimerTable implements StateTable {
  readonly stateId: number;
  readonly #options: TableOptions;
  readonly #buckets = new CellIndex<KeyIdentity | Set<KeyIdentity>>();
  readonly #heap = new TimeHeap();
  #bucketCount = 0;
  #size = 0;
  #head: Head | undefined;
  #changes = emptyChanges();

  constructor(options: TableOptions) {
    this.stateId = options.stateId;
    this.#options = options;
  }

  get liveRows(): number {
    return this.#size;
  }

  get writtenBytes(): number {
    return this.#changes.times.length * CHANGE_BYTES;
  }

  /** Whether the timer is there. */
  has(time: number, key: unknown, namespace: BinaryKey): boolean {
    return this.#find(time, this.#options.address.identity(key, namespace)) || this.#isNotThere(key);
  }

  /** Whether the timer was added: it is there in any case. */
  register(time: number, key: unknown, namespace: BinaryKey): boolean {
    const identity = this.#options.address.identity(key, namespace);
    if (this.#find(time, identity)) return false;
    ownedGroupOf(this.#options, key);
    this.#insert(time, identity);
    this.#note(time, identity, false);
    return true;
  }

  /** Whether the timer was there: it is not any more. */
  delete(time: number, key: unknown, namespace: BinaryKey): boolean {
    const identity = this.#options.address.identity(key, namespace);
    if (!this.#find(time, identity)) return this.#isNotThere(key);
    this.remove({ time, identity });
    return true;
  }

  /** Removes a timer that is there. */
  remove({ time, identity }: TimerCell): void {
    this.#take(time, identity);
    this.#note(time, identity, true);
  }

  /** The time of the first timer. */
  get firstTime(): number | undefined {
    let time = this.#heap.top;
    while (time !== undefined && this.#buckets.get(time) === undefined) {
      this.#heap.pop();
      time = this.#heap.top;
    }
    return time;
  }

  /** The first timer by time, encoded key and encoded namespace. */
  first(): TimerCell | undefined {
    const time = this.firstTime;
    if (time === undefined) return undefined;
    const bucket = this.#buckets.get(time) as KeyIdentity | Set<KeyIdentity>;
    if (!(bucket instanceof Set)) return { time, identity: bucket };
    if (this.#head?.time !== time) this.#head = { time, identities: this.#sorted(bucket), at: 0 };
    const head = this.#head;
    while (!bucket.has(head.identities[head.at] as KeyIdentity)) head.at++;
    return { time, identity: head.identities[head.at] as KeyIdentity };
  }

  /** The timers as they are now, by time, encoded key and encoded namespace. */
  cells(): TimerCell[] {
    const times = Float64Array.from(this.#buckets.identities() as Iterable<number>).sort();
    const cells: TimerCell[] = [];
    for (const time of times) {
      const bucket = this.#buckets.get(time) as KeyIdentity | Set<KeyIdentity>;
      const identities = bucket instanceof Set ? this.#sorted(bucket) : [bucket];
      for (const identity of identities) cells.push({ time, identity });
    }
    return cells;
  }

  freeze(): FrozenRows {
    const changes = this.#changes;
    this.#changes = emptyChanges();
    return frozenTimers(this.#options, changes);
  }

  load(key: BinaryKey, flags: number): void {
    const { key: time, end: start } = decodeNumber(key, CELL_OFFSET);
    if (!Number.isSafeInteger(time)) throw corruptBytes("the time of a timer is not a safe integer", `time=${time}`);
    const { identity, end } = this.#options.address.decode(key, start);
    assert(end === key.length, "a timer has nothing behind its key and namespace");
    const isThere = this.#find(time, identity);
    const isDeleted = (flags & FLAG_DELETE) !== 0;
    if (isDeleted && isThere) this.#take(time, identity);
    if (!isDeleted && !isThere) this.#insert(time, identity);
  }

  #find(time: number, identity: KeyIdentity): boolean {
    const bucket = this.#buckets.get(time);
    // A key may be NaN, which is not equal to itself.
    return bucket instanceof Set ? bucket.has(identity) : Object.is(bucket, identity);
  }

  /** False, if the key may be asked for at all. */
  #isNotThere(key: unknown): false {
    ownedGroupOf(this.#options, key);
    return false;
  }

  #insert(time: number, identity: KeyIdentity): void {
    const bucket = this.#buckets.get(time);
    this.#size++;
    if (bucket === undefined) {
      this.#buckets.set(time, identity);
      this.#bucketCount++;
      this.#heap.push(time);
      return;
    }
    if (bucket instanceof Set) bucket.add(identity);
    else this.#buckets.set(time, new Set([bucket, identity]));
    if (this.#head?.time === time) this.#insertIntoHead(this.#head, identity);
  }

  #insertIntoHead({ identities, at }: Head, identity: KeyIdentity): void {
    const { address } = this.#options;
    const sortKey = address.sortKey(identity);
    let low = at;
    let high = identities.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (address.sortKey(identities[middle] as KeyIdentity) < sortKey) low = middle + 1;
      else high = middle;
    }
    identities.splice(low, 0, identity);
  }

  #take(time: number, identity: KeyIdentity): void {
    const bucket = this.#buckets.get(time);
    this.#size--;
    if (bucket instanceof Set) {
      bucket.delete(identity);
      if (bucket.size > 0) return;
    }
    this.#buckets.delete(time);
    this.#bucketCount--;
    if (this.#head?.time === time) this.#head = undefined;
    if (this.#heap.length > 2 * this.#bucketCount + LEFT_OVER_MIN) {
      this.#heap.reset(this.#buckets.identities() as Iterable<number>);
    }
  }

  #sorted(bucket: ReadonlySet<KeyIdentity>): KeyIdentity[] {
    return sortedByKey([...bucket], (identity) => this.#options.address.sortKey(identity));
  }

  #note(time: number, identity: KeyIdentity, isDelete: boolean): void {
    this.#changes.times.push(time);
    this.#changes.identities.push(identity);
    this.#changes.isDelete.push(isDelete);
  }
}

/** Lists of one length, in the order of the changes. */
interface TimerChanges {
  readonly times: number[];
  readonly identities: KeyIdentity[];
  readonly isDelete: boolean[];
}

function emptyChanges(): TimerChanges {
  return { times: [], identities: [], isDelete: [] };
}

function frozenTimers(options: TableOptions, { times, identities, isDelete }: TimerChanges): FrozenRows {
  const { address } = options;
  const timeAt = (at: number): BinaryKey => encodeNumber(times[at] as number);
  const identityAt = (at: number): KeyIdentity => identities[at] as KeyIdentity;
  return {
    stateId: options.stateId,
    count: times.length,
    groupAt: (at) => groupOf(options, identityAt(at)),
    isDroppedAt: () => false,
    // Only real changes are listed, so that the first one tells whether the timer was there before.
    isVoid: (first, last) => isDelete[first] === false && isDelete[last] === true,
    sortKeyAt: (at) => timeAt(at) + address.sortKey(identityAt(at)),
    appendAt(at, block) {
      block.append(joinKeys(timeAt(at), address.encode(identityAt(at))), isDelete[at] === true ? FLAG_DELETE : 0);
    },
    completedAt() {},
  };
}
