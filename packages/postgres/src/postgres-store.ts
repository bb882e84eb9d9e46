/**
 * A `Store` in the tables of a schema.
 *
 * Invariants:
 * - Changes come one after the other, in the order of the calls; each is a transaction that counts only if this handle is still the owner.
 * - A delta that fits one batch is one transaction. A larger one is several: `applying` is said in the first, and taken back in the last.
 * - Nothing is said of key groups from the first change of a `load` or `drop` to the last.
 * - No connection is kept while a delta or rows are waited for: they may be read through the same pool.
 *
 * @see docs/contract.md#store
 */

import {
  type AppliedGroups,
  type BinaryKey,
  Calls,
  type Delta,
  type Fence,
  type KeyGroups,
  type KeyRange,
  StateBackendError,
  type Store,
  type StoreEntry,
  type StoreMark,
  type TaskScope,
} from "@tidemark/core";
import { ahead } from "./ahead.js";
import { EntryReader } from "./entry-reader.js";
import { changeBatches, removeEntries, rowBatches } from "./entry-writer.js";
import { addMarks, areAt, readMarks, removeMarks, split, startMarks, unmarked } from "./group-marks.js";
import type { Place } from "./place.js";
import type { PoolSource } from "./pool-source.js";
import type { ScanSlots } from "./scan-slots.js";
import { ScopeOwner } from "./scope-owner.js";

export interface StoreParts {
  readonly place: Place;
  readonly source: PoolSource;
  readonly slots: ScanSlots;
}

interface Opened {
  readonly scope: TaskScope;
  readonly owner: ScopeOwner;
  readonly reader: EntryReader;
}

export class PostgresStore implements Store {
  readonly #parts: StoreParts;
  readonly #calls = new Calls(REFUSAL);
  #isJoined = false;
  #opened: Opened | undefined;
  /** What is said of the key groups; `undefined` if a change failed since it was asked. */
  #marks: readonly AppliedGroups[] | undefined;
  #change: Promise<unknown> = Promise.resolve();

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  async prepare(_scope: TaskScope): Promise<void> {
    await this.#calls.run(async () => {
      this.#join();
      await this.#parts.place.ready();
    });
  }

  async open(scope: TaskScope, fence: Fence): Promise<readonly AppliedGroups[]> {
    return this.#calls.run(async () => {
      if (this.#opened !== undefined) throw new TypeError("A store is opened once. Create another one.");
      this.#join();
      const { place, slots } = this.#parts;
      await place.ready();
      let marks: readonly AppliedGroups[] = [];
      const owner = await ScopeOwner.takeOver(place, scope, fence, async (session, scopeId) => {
        await split(session, place.tables, scopeId, scope.groups);
        marks = await readMarks(session, place.tables, scopeId, scope.groups);
      });
      this.#opened = { scope, owner, reader: new EntryReader(place, owner, slots) };
      this.#marks = marks;
      return marks;
    });
  }

  async getMany(keys: readonly BinaryKey[]): Promise<readonly (Uint8Array | undefined)[]> {
    const { reader } = this.#check();
    return this.#calls.run(() => reader.getMany(keys));
  }

  async *scan(range: KeyRange): AsyncGenerator<readonly StoreEntry[], void, undefined> {
    const pages = this.#check().reader.scan(range);
    try {
      while (true) {
        const next = await this.#calls.run(() => pages.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await pages.return();
    }
  }

  async apply(mark: StoreMark, changes: Delta): Promise<void> {
    const { owner, scope } = this.#check();
    const { place } = this.#parts;
    const { scopeId } = owner.row;
    const { groups } = scope;
    await this.#alone(async () => {
      const marks = await this.#known();
      if (areAt(marks, groups, mark)) return;
      // A load that did not end may have left something behind.
      await removeEntries(place, owner, unmarked(marks, groups));
      let isStarted = false;
      for await (const { batch, isLast } of ahead(changeBatches(changes))) {
        const isStart = !isStarted && !isLast;
        await owner.change(
          "Applying changes",
          (session) => batch.write(session, place.tables, scopeId),
          async (session) => {
            if (isStart) await startMarks(session, place.tables, scopeId, { groups, mark });
            if (!isLast) return;
            await removeMarks(session, place.tables, scopeId, groups);
            await addMarks(session, place.tables, scopeId, { groups, mark });
          },
        );
        isStarted = true;
      }
      this.#marks = groups.ranges.map((range) => ({ groups: range, mark }));
    });
  }

  async load(groups: KeyGroups, rows: AsyncIterable<readonly StoreEntry[]>, mark: StoreMark): Promise<void> {
    const { owner } = this.#check();
    const { place } = this.#parts;
    const { scopeId } = owner.row;
    await this.#alone(async () => {
      await this.#empty(owner, groups);
      const copyText = `COPY ${place.tables.entry} (scope_id, key, tail, value) FROM STDIN BINARY`;
      for await (const batch of ahead(rowBatches(rows, scopeId))) {
        await owner.change("Loading", (session) => session.copy(copyText, batch), NOTHING);
      }
      await owner.change("Loading", NOTHING, (session) => addMarks(session, place.tables, scopeId, { groups, mark }));
    });
  }

  async drop(groups: KeyGroups): Promise<void> {
    const { owner } = this.#check();
    await this.#alone(() => this.#empty(owner, groups));
  }

  async close(): Promise<void> {
    await this.#calls.close(async () => {
      this.#opened?.reader.close();
      if (this.#isJoined) await this.#parts.source.leave();
    });
  }

  async #empty(owner: ScopeOwner, groups: KeyGroups): Promise<void> {
    const { place } = this.#parts;
    this.#marks = undefined;
    await owner.change("Removing", NOTHING, (session) => removeMarks(session, place.tables, owner.row.scopeId, groups));
    await removeEntries(place, owner, groups);
  }

  /** What is said of the key groups, asked again if it may have changed. */
  async #known(): Promise<readonly AppliedGroups[]> {
    const { place } = this.#parts;
    const { owner, scope } = this.#opened as Opened;
    let marks = this.#marks;
    if (marks === undefined) {
      await owner.change("Looking what is there", NOTHING, async (session) => {
        marks = await readMarks(session, place.tables, owner.row.scopeId, scope.groups);
      });
    }
    this.#marks = undefined;
    return marks as readonly AppliedGroups[];
  }

  /** One change at a time. What is under way goes on after `close` was called, which waits for it. */
  #alone(work: () => Promise<void>): Promise<void> {
    return this.#calls.run(() => {
      const done = this.#change.catch(() => undefined).then(work);
      this.#change = done;
      return done;
    });
  }

  #join(): void {
    if (!this.#isJoined) this.#parts.source.join();
    this.#isJoined = true;
  }

  #check(): Opened {
    if (this.#opened === undefined || this.#calls.isClosed) throw new StateBackendError("CLOSED", REFUSAL);
    return this.#opened;
  }
}

const REFUSAL = "The store is not open. Open another handle.";
const NOTHING = async (): Promise<void> => undefined;
