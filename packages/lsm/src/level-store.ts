/**
 * A `Store` in a LevelDB database.
 *
 * Invariants:
 * - Changes of the content come one after the other, in the order of the calls.
 * - What is reported is never more than what is there: before the first change of an `apply` the mark `applying` is durable, before the
 *   first of a `load` or `drop` the marks of its groups are gone; the new marks are in the last batch, which is synced.
 *   LevelDB loses writes only from the end, so that nothing before a mark is missing where the mark is there.
 *
 * ```text
 *   new ──prepare──▶ claimed ──open──▶ open ──close──▶ closed
 *    │                  ▲ │
 *    └──────open────────┘ └──open or prepare failed──▶ new
 * ```
 *
 * @see docs/contract.md#store
 */

import {
  type AppliedGroups,
  type BinaryKey,
  type Delta,
  type Fence,
  hasCode,
  type KeyGroups,
  type KeyRange,
  StateBackendError,
  type Store,
  type StoreEntry,
  type StoreMark,
  type TaskScope,
} from "@tidemark/core";
import { BatchWriter } from "./batch-writer.js";
import { GroupMarks } from "./group-marks.js";
import { asStoreError } from "./level-error.js";
import type { LevelSpace } from "./level-space.js";
import { GROUPS_RECORD, type ClaimedPlace, type OpenPlace, type Place, TAINTED_RECORD } from "./place.js";

export class LevelStore implements Store {
  readonly #place: Place;
  readonly #onRebuild: ((reason: string) => void) | undefined;
  #claim: ClaimedPlace | undefined;
  #open: (OpenPlace & { readonly scope: TaskScope }) | undefined;
  #opening: Promise<unknown> | undefined;
  #closed = false;
  #closing: Promise<void> | undefined;
  #marks = GroupMarks.none;
  /** The last change, and reads that have not ended. */
  #change: Promise<unknown> = Promise.resolve();
  readonly #reads = new Set<Promise<unknown>>();
  readonly #scans = new Set<AsyncGenerator<unknown>>();
  #tainting: Promise<void> | undefined;

  constructor(place: Place, onRebuild: ((reason: string) => void) | undefined) {
    this.#place = place;
    this.#onRebuild = onRebuild;
  }

  get emptyBecause(): string | undefined {
    return this.#open?.emptyBecause;
  }

  async prepare(scope: TaskScope): Promise<void> {
    await this.#begin(async () => {
      this.#claim ??= await this.#place(scope);
    });
  }

  async open(scope: TaskScope, _fence: Fence): Promise<readonly AppliedGroups[]> {
    await this.#begin(async () => {
      const claim = this.#claim ?? (await this.#place(scope));
      this.#claim = claim;
      try {
        const place = await claim.open();
        this.#marks = place.marks;
        this.#open = { ...place, scope };
      } catch (error) {
        this.#claim = undefined;
        await claim.release();
        throw error;
      }
    });
    if (this.emptyBecause !== undefined) this.#onRebuild?.(this.emptyBecause);
    return this.#marks.applied(scope.groups);
  }

  async getMany(keys: readonly BinaryKey[]): Promise<readonly (Uint8Array | undefined)[]> {
    const { space } = this.#check();
    const reading = space.getMany(keys);
    this.#reads.add(reading);
    try {
      return await reading;
    } catch (error) {
      throw this.#failed(error);
    } finally {
      this.#reads.delete(reading);
    }
  }

  getManySync(keys: readonly BinaryKey[]): readonly (Uint8Array | undefined)[] {
    const { space } = this.#check();
    try {
      // One key is what is asked for nearly always.
      return keys.length === 1 ? [space.getSync(keys[0] as BinaryKey)] : keys.map((key) => space.getSync(key));
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async *scan(range: KeyRange): AsyncGenerator<readonly StoreEntry[], void, undefined> {
    const chunks = this.#check().space.scan(range);
    this.#scans.add(chunks);
    try {
      for await (const chunk of chunks) {
        yield chunk;
        this.#check();
      }
    } catch (error) {
      throw this.#failed(error);
    } finally {
      this.#scans.delete(chunks);
    }
    this.#check();
  }

  async apply(mark: StoreMark, changes: Delta): Promise<void> {
    const { scope, space } = this.#check();
    const { groups } = scope;
    await this.#alone(async (writer) => {
      if (this.#marks.areAt(groups, mark)) return;
      await this.#setMarks(this.#marks.applying(groups, mark));
      // A load that did not end may have left something behind.
      for (const { first, last } of this.#missingOf(groups)) await writer.clear(space.rangeOfGroups(first, last));
      for await (const chunk of changes) await writer.changes(chunk);
      await this.#end(writer, this.#marks.at(groups, mark));
    });
  }

  async load(groups: KeyGroups, rows: AsyncIterable<readonly StoreEntry[]>, mark: StoreMark): Promise<void> {
    const { space } = this.#check();
    await this.#alone(async (writer) => {
      await this.#setMarks(this.#marks.without(groups));
      for (const { first, last } of groups.ranges) await writer.clear(space.rangeOfGroups(first, last));
      for await (const chunk of rows) {
        for (const { key, value } of chunk) {
          const full = writer.put(key, value);
          if (full !== undefined) await full;
        }
      }
      await this.#end(writer, this.#marks.at(groups, mark));
    });
  }

  async drop(groups: KeyGroups): Promise<void> {
    const { space } = this.#check();
    await this.#alone(async (writer) => {
      await this.#setMarks(this.#marks.without(groups));
      for (const { first, last } of groups.ranges) await writer.clear(space.rangeOfGroups(first, last));
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#closing ??= this.#release();
    await this.#closing;
  }

  async #begin<T>(step: () => Promise<T>): Promise<T> {
    if (this.#closed) throw closedError();
    if (this.#opening !== undefined || this.#open !== undefined) {
      throw new TypeError("A store is opened once, and one step after the other. Create another one.");
    }
    const stepping = step();
    this.#opening = stepping;
    try {
      return await stepping;
    } finally {
      this.#opening = undefined;
    }
  }

  async #release(): Promise<void> {
    await this.#opening?.catch(() => undefined);
    await Promise.allSettled([this.#change, ...this.#reads]);
    // Whoever goes on with one of these is told that the store is closed.
    await Promise.allSettled([...this.#scans].map((scan) => scan.return(undefined)));
    await this.#tainting;
    await this.#claim?.release();
  }

  /** Runs `work` after all other changes; what it wrote is in the database when this resolves, or it was given up. */
  async #alone(work: (writer: BatchWriter) => Promise<void>): Promise<void> {
    const { space } = this.#check();
    const done = this.#change.then(async () => {
      const writer = new BatchWriter(space);
      try {
        await work(writer);
      } catch (error) {
        await writer.abandon();
        throw this.#failed(error);
      }
    });
    this.#change = done.catch(() => undefined);
    await done;
  }

  async #setMarks(marks: GroupMarks): Promise<void> {
    const { space } = this.#open as { space: LevelSpace };
    await this.#end(new BatchWriter(space), marks);
  }

  async #end(writer: BatchWriter, marks: GroupMarks): Promise<void> {
    await writer.end(GROUPS_RECORD, marks.toBytes());
    this.#marks = marks;
  }

  #missingOf(groups: KeyGroups): readonly { readonly first: number; readonly last: number }[] {
    const held = this.#marks.applied(groups);
    return held.length === 0 ? groups.ranges : runsOf([...groups].filter((group) => !this.#marks.has(group)));
  }

  #check(): { readonly scope: TaskScope; readonly space: LevelSpace } {
    if (this.#closed || this.#open === undefined) throw closedError();
    return this.#open;
  }

  /** What to throw for `error`. Damage is written down, so that the next `open` trusts nothing here. */
  #failed(error: unknown): unknown {
    const { space } = this.#open as { space: LevelSpace };
    const failure = asStoreError(error, space.place);
    if (hasCode(failure, "CHECKPOINT_CORRUPT")) this.#tainting ??= taint(space, (failure as Error).message);
    return failure;
  }
}

async function taint(space: LevelSpace, reason: string): Promise<void> {
  try {
    await new BatchWriter(space).end(TAINTED_RECORD, Buffer.from(reason));
  } catch {
    // The damage itself is reported, and stays where it is: whoever reads it is told again.
  }
}

/** Consecutive numbers as ranges. */
function runsOf(ascending: readonly number[]): readonly { readonly first: number; readonly last: number }[] {
  const runs: { first: number; last: number }[] = [];
  for (const number of ascending) {
    const run = runs.at(-1);
    if (run?.last === number - 1) run.last = number;
    else runs.push({ first: number, last: number });
  }
  return runs;
}

function closedError(): Error {
  return new StateBackendError("CLOSED", "The store is not open. Open another handle.");
}
