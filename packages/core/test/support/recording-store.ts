/** Stores that keep a record of what was asked of others, and fail when they are told to. */

import type { StoreProvider } from "../../src/contracts/backend.js";
import type {
  AppliedGroups,
  Delta,
  Fence,
  KeyRange,
  Store,
  StoreEntry,
  StoreMark,
  TaskScope,
} from "../../src/contracts/store.js";
import type { BinaryKey } from "../../src/key/binary-key.js";
import type { KeyGroups } from "../../src/key/key-groups.js";

/** What was asked of all stores of a provider. */
export class StoreRecord {
  readonly calls: string[] = [];
  /** Keys of each read. */
  readonly reads: number[] = [];
  rowsLoaded = 0;
  /** Called before each call goes through, with its name. */
  before: (call: string) => Promise<void> = async () => undefined;
  /** Called after an apply went through and before that is known. */
  afterApply: () => Promise<void> = async () => undefined;
}

/** Without `isSync`, nothing can be read without a promise. */
export function recordingStores(
  inner: StoreProvider,
  { isSync = false } = {},
): { readonly provider: StoreProvider; readonly record: StoreRecord } {
  const record = new StoreRecord();
  const create = (): Store => {
    const store = new RecordingStore(inner.create(), record);
    return isSync ? Object.assign(store, { getManySync: (keys: readonly BinaryKey[]) => store.readSync(keys) }) : store;
  };
  return { provider: { cacheBytes: inner.cacheBytes, create }, record };
}

class RecordingStore implements Store {
  readonly #inner: Store;
  readonly #record: StoreRecord;

  constructor(inner: Store, record: StoreRecord) {
    this.#inner = inner;
    this.#record = record;
  }

  async prepare(): Promise<void> {
    await this.#note("prepare");
  }

  async open(scope: TaskScope, fence: Fence): Promise<readonly AppliedGroups[]> {
    await this.#note("open");
    return this.#inner.open(scope, fence);
  }

  async getMany(keys: readonly BinaryKey[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.#record.reads.push(keys.length);
    await this.#note("getMany");
    return this.#inner.getMany(keys);
  }

  readSync(keys: readonly BinaryKey[]): readonly (Uint8Array | undefined)[] {
    this.#record.reads.push(keys.length);
    return this.#inner.getManySync?.(keys) ?? [];
  }

  scan(range: KeyRange): AsyncIterable<readonly StoreEntry[]> {
    this.#record.calls.push("scan");
    return this.#inner.scan(range);
  }

  async apply(mark: StoreMark, changes: Delta): Promise<void> {
    await this.#note("apply");
    await this.#inner.apply(mark, changes);
    await this.#record.afterApply();
  }

  async load(groups: KeyGroups, rows: AsyncIterable<readonly StoreEntry[]>, mark: StoreMark): Promise<void> {
    await this.#note("load");
    const record = this.#record;
    const counted = (async function* () {
      for await (const chunk of rows) {
        record.rowsLoaded += chunk.length;
        yield chunk;
      }
    })();
    await this.#inner.load(groups, counted, mark);
  }

  async drop(groups: KeyGroups): Promise<void> {
    await this.#note("drop");
    await this.#inner.drop(groups);
  }

  async close(): Promise<void> {
    this.#record.calls.push("close");
    await this.#inner.close();
  }

  async #note(call: string): Promise<void> {
    this.#record.calls.push(call);
    await this.#record.before(call);
  }
}
