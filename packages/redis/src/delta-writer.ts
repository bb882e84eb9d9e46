/**
 * Changes on their way into key groups, in calls that are bounded in entries and bytes.
 *
 * Invariants:
 * - Calls of a key group come one after the other, those of several at once.
 * - What a clear removes is removed before what follows it is put.
 */

import type { BinaryKey, Change, StoreMark } from "@tidemark/core";
import type { GroupRecord } from "./group-record.js";
import { Prefixes } from "./prefixes.js";
import { PackedList } from "./packed-list.js";
import type { RedisSpace } from "./redis-space.js";

const CALL_ENTRIES = 1_000;
const CALL_BYTES = 1024 * 1024;
/** So many calls are under way or wait for one another. */
const CALLS_MAX = 16;

interface Batch {
  readonly record: GroupRecord;
  readonly clears: BinaryKey[];
  readonly deletes: BinaryKey[];
  readonly puts: PackedList;
  entries: number;
  bytes: number;
}

export class DeltaWriter {
  readonly #space: RedisSpace;
  readonly #recordOf: (key: BinaryKey) => GroupRecord;
  readonly #applying: StoreMark | undefined;
  readonly #running = new Set<Promise<void>>();
  #batch: Batch | undefined;
  #last: { readonly record: GroupRecord; readonly done: Promise<void> } | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** @param applying what held key groups are marked with until they are whole */
  constructor(space: RedisSpace, recordOf: (key: BinaryKey) => GroupRecord, applying?: StoreMark) {
    this.#space = space;
    this.#recordOf = recordOf;
    this.#applying = applying;
  }

  /** Ascending. A promise only if there is something to wait for; it is never rejected, since not everyone waits for it. Throws what went wrong before. */
  add(change: Change): Promise<void> | undefined {
    this.#throwIfFailed();
    const key = change.kind === "clear" ? change.prefix : change.key;
    const record = this.#recordOf(key);
    const full = this.#batch !== undefined && this.#batch.record !== record ? this.#send() : undefined;
    this.#batch ??= { record, clears: [], deletes: [], puts: new PackedList(), entries: 0, bytes: 0 };
    const batch = this.#batch;
    batch.entries += 1;
    batch.bytes += key.length;
    if (change.kind === "clear") batch.clears.push(change.prefix);
    else if (change.kind === "delete") batch.deletes.push(change.key);
    else {
      batch.puts.addEntry(change.key, change.value);
      batch.bytes += change.value.length;
    }
    if (batch.entries >= CALL_ENTRIES || batch.bytes >= CALL_BYTES) return this.#send() ?? full;
    return full;
  }

  /** Sends the rest, and waits for all. */
  async end(): Promise<void> {
    void this.#send();
    await this.settle();
    this.#throwIfFailed();
  }

  /** Waits for what is under way. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #send(): Promise<void> | undefined {
    const batch = this.#batch;
    if (batch === undefined) return undefined;
    this.#batch = undefined;
    const before = this.#last?.record === batch.record ? this.#last.done : undefined;
    const done: Promise<void> = this.#run(batch, before)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#running.delete(done));
    this.#running.add(done);
    this.#last = { record: batch.record, done };
    return this.#running.size < CALLS_MAX ? undefined : this.#room();
  }

  async #room(): Promise<void> {
    while (this.#running.size >= CALLS_MAX) await Promise.race(this.#running);
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #run({ record, clears, deletes, puts }: Batch, before: Promise<void> | undefined): Promise<void> {
    await before;
    if (this.#failure !== undefined) return;
    const applying = record.mark === undefined ? undefined : this.#applying;
    const cleared = clears.length === 0 ? [] : await this.#space.keysBehind(record, new Prefixes(clears));
    const gone = [...cleared, ...deletes];
    let first = 0;
    for (; gone.length - first > CALL_ENTRIES; first += CALL_ENTRIES) {
      await this.#space.change(record, applying, packed(gone.slice(first, first + CALL_ENTRIES)), undefined);
    }
    const rest = gone.slice(first);
    if (rest.length + puts.count / 2 <= CALL_ENTRIES) {
      await this.#space.change(record, applying, packed(rest), puts);
      return;
    }
    await this.#space.change(record, applying, packed(rest), undefined);
    await this.#space.change(record, applying, undefined, puts);
  }
}

function packed(keys: readonly BinaryKey[]): PackedList {
  const list = new PackedList();
  for (const key of keys) list.addKey(key);
  return list;
}
