/**
 * The store of one task: brought to the checkpoint that is restored, and on to each that completes.
 *
 *   checkpoint completed ──apply──▶ the store has its changes ──settle──▶ the layers that held them are clean
 *
 * Invariants:
 * - The store never gets what is not in a completed checkpoint.
 * - Changes stay in memory, above the store, until the store has them.
 */

import type { Clock } from "../contracts/clock.js";
import type { AppliedGroups, Fence, KeyRange, Store, StoreEntry, StoreMark, TaskScope } from "../contracts/store.js";
import { isStateBackendError } from "../errors.js";
import type { KeyGroups } from "../key/key-groups.js";
import { Slicer } from "../segment/slicer.js";
import { MemoryBudget } from "./memory-budget.js";
import { StoreAccess } from "./store-access.js";
import { type OpenSources, storeDelta, storeRows } from "./store-delta.js";
import { StoreReads } from "./store-reads.js";
import type { StoreSweep } from "./store-sweep.js";
import { storeTag, type TaggedSegment } from "./store-tag.js";

/** How often changes are sent again before the task gives up, and how long it waits before, doubled each time. */
const APPLY_TRIES_MAX = 8;
const APPLY_PAUSE_MS = 50;

/** A table whose rest is in the store. */
export interface StoredPart {
  /** The store has the changes of all epochs up to this one. */
  applied(epoch: number): void;
}

export interface TaskStoreParts {
  readonly store: Store;
  readonly clock: Clock;
  /** Bytes that what the store has as well may take in memory. */
  readonly cacheBytes: number;
  /** Bytes that it may take besides as long as changes do not. */
  readonly memtableBytes: number;
  /** Names the encodings of what the store holds. */
  readonly schema: string;
}

export class TaskStore {
  readonly access: StoreAccess;
  readonly #parts: TaskStoreParts;
  #tables: readonly StoredPart[] = [];
  #sweep: StoreSweep | undefined;
  #mark: StoreMark | undefined;

  constructor(parts: TaskStoreParts) {
    this.#parts = parts;
    this.access = new StoreAccess(new StoreReads(parts.store, parts.clock), new MemoryBudget(parts));
  }

  /** The tables that are told what the store has got, and what looks after each checkpoint for what has expired. */
  use(tables: readonly StoredPart[], sweep: StoreSweep): void {
    this.#tables = tables;
    this.#sweep = sweep;
  }

  async prepare(scope: TaskScope): Promise<void> {
    await this.#parts.store.prepare?.(scope);
  }

  open(scope: TaskScope, fence: Fence): Promise<readonly AppliedGroups[]> {
    return this.#parts.store.open(scope, fence);
  }

  tagOf(segments: readonly TaggedSegment[]): string {
    return storeTag(this.#parts.schema, segments);
  }

  /** Replaces what the store has of key groups. */
  async load(groups: KeyGroups, open: OpenSources, mark: StoreMark): Promise<void> {
    const { store, clock } = this.#parts;
    await store.load(groups, storeRows(open, new Slicer(clock)), mark);
    this.#mark = mark;
  }

  /** What the store has is what the mark names. */
  keepAs(mark: StoreMark): void {
    this.#mark = mark;
  }

  scan(range: KeyRange): AsyncIterable<StoreEntry> {
    return this.access.reads.scan(range);
  }

  /**
   * Sends changes to the store, again if it does not answer.
   * @throws {StateBackendError} what the store said last
   */
  async apply(mark: StoreMark, open: OpenSources): Promise<void> {
    const { store, clock } = this.#parts;
    if (this.#mark?.tag === mark.tag) return;
    const delta = storeDelta(open, new Slicer(clock));
    for (let tries = 1; ; tries++) {
      try {
        await store.apply(mark, delta);
        break;
      } catch (error) {
        if (tries >= APPLY_TRIES_MAX || !isStateBackendError(error) || !error.retryable) throw error;
        await new Promise<void>((resolve) => {
          clock.schedule(APPLY_PAUSE_MS * 2 ** tries, resolve, true);
        });
      }
    }
    this.#mark = mark;
    this.access.reads.noteApplied();
  }

  /** The store has the changes of all epochs up to this one: memory may let them go. */
  settle(epoch: number): void {
    for (const table of this.#tables) table.applied(epoch);
  }

  /** Goes over some rows of what expires. */
  async sweep(): Promise<void> {
    await this.#sweep?.step(this.access.reads);
  }

  close(): Promise<void> {
    return this.#parts.store.close();
  }
}
