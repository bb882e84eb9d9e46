/**
 * Stores in the memory of this process: the reference implementation of the contract `Store`, for tests and for authors of others.
 *
 * Invariants:
 * - Handles share a place; what one has stored the next one finds. Whoever opens key groups fences those that had them open.
 * - A place is never newer than its marks say: `applying` is set before the first change and removed with the last.
 */

import type { StoreProvider } from "../contracts/backend.js";
import type {
  AppliedGroups,
  Delta,
  Fence,
  KeyRange,
  Store,
  StoreEntry,
  StoreMark,
  TaskScope,
} from "../contracts/store.js";
import { StateBackendError } from "../errors.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { KeyGroups } from "../key/key-groups.js";
import { MemoryArea } from "./memory-area.js";

/** Settings of stores in memory. */
export interface MemoryStoreOptions {
  /**
   * See `StoreProvider`.
   * @defaultValue 0
   */
  readonly cacheBytes?: number;
}

/** Stores that share one place, which lives as long as the object returned. */
export function memoryStore({ cacheBytes = 0 }: MemoryStoreOptions = {}): StoreProvider {
  const areas = new Map<string, MemoryArea>();
  return Object.freeze({ cacheBytes, create: () => new MemoryStore(areas) });
}

interface Opened {
  readonly scope: TaskScope;
  readonly area: MemoryArea;
}

class MemoryStore implements Store {
  readonly #areas: Map<string, MemoryArea>;
  #opened: Opened | undefined;
  #closed = false;
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(areas: Map<string, MemoryArea>) {
    this.#areas = areas;
  }

  async open(scope: TaskScope, fence: Fence): Promise<readonly AppliedGroups[]> {
    if (this.#closed) throw closed();
    const name = JSON.stringify([scope.job, scope.operator, scope.maxParallelism]);
    const area = this.#areas.get(name) ?? new MemoryArea();
    this.#areas.set(name, area);
    area.takeOver(this, scope.groups, fence);
    this.#opened = { scope, area };
    return area.applied(scope.groups);
  }

  async getMany(keys: readonly BinaryKey[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.getManySync(keys);
  }

  getManySync(keys: readonly BinaryKey[]): readonly (Uint8Array | undefined)[] {
    const { area } = this.#check();
    return keys.map((key) => area.get(key));
  }

  async *scan(range: KeyRange): AsyncGenerator<readonly StoreEntry[], void, undefined> {
    for (const chunk of this.#check().area.scan(range)) {
      this.#check();
      yield chunk;
    }
  }

  async apply(mark: StoreMark, changes: Delta): Promise<void> {
    const { area, scope } = this.#check();
    return this.#alone(async () => {
      if (!area.startApply(scope.groups, mark)) return;
      for await (const chunk of changes) {
        this.#checkOwner();
        for (const change of chunk) area.change(change);
      }
      this.#checkOwner();
      area.setMark(scope.groups, mark);
    });
  }

  async load(groups: KeyGroups, rows: AsyncIterable<readonly StoreEntry[]>, mark: StoreMark): Promise<void> {
    const { area } = this.#check();
    return this.#alone(async () => {
      area.drop(groups);
      for await (const chunk of rows) {
        this.#checkOwner();
        for (const { key, value } of chunk) area.change({ kind: "put", key, value });
      }
      this.#checkOwner();
      area.setMark(groups, mark);
    });
  }

  async drop(groups: KeyGroups): Promise<void> {
    const { area } = this.#check();
    return this.#alone(async () => area.drop(groups));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#underWay.catch(() => undefined);
  }

  /** What is under way goes on after `close` was called; it is only fenced. */
  async #alone(work: () => Promise<void>): Promise<void> {
    const done = this.#underWay.catch(() => undefined).then(work);
    this.#underWay = done;
    return done;
  }

  #check(): Opened {
    if (this.#closed || this.#opened === undefined) throw closed();
    return this.#checkOwner();
  }

  #checkOwner(): Opened {
    const opened = this.#opened as Opened;
    if (opened.area.isOwner(this)) return opened;
    throw new StateBackendError("FENCED", "Another task has taken the store over. Stop this one.");
  }
}

function closed(): Error {
  return new StateBackendError("CLOSED", "The store is not open. Open another handle.");
}
