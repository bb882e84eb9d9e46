/**
 * What Tidemark asks of a place that holds the working state of one task: bytes under ordered keys.
 *
 * A store is disposable: it can always be rebuilt from a checkpoint. It never holds anything newer than a completed
 * checkpoint unless it says so (`applying`). The clauses S1 to S9 in docs/contract.md number what follows.
 */

import type { BinaryKey } from "../key/binary-key.js";
import type { KeyGroupRange, KeyGroups } from "../key/key-groups.js";

/** The right to write, equal only to itself: `epoch` counts owners, `nonce` (32 hexadecimal digits) tells equal counts apart. */
export interface Fence {
  readonly epoch: number;
  readonly nonce: string;
}

/** Which part of a store belongs to a task. Names have any content; a store encodes them injectively. */
export interface TaskScope {
  readonly job: string;
  readonly operator: string;
  readonly maxParallelism: number;
  readonly groups: KeyGroups;
}

/**
 * Names a state of a store: everything up to a completed checkpoint. Ids come again in another lineage and in other encodings, so `tag`
 * tells those apart: at most 200 characters of ASCII that a store keeps and compares, and never interprets.
 */
export interface StoreMark {
  readonly checkpoint: number;
  readonly tag: string;
}

/** What a store holds for some key groups: everything up to `mark`, and, if `applying` is there, some of what leads to that. */
export interface AppliedGroups {
  readonly groups: KeyGroupRange;
  readonly mark: StoreMark;
  /** An `apply` that has not ended, and perhaps never will: applying the same changes again makes it whole. */
  readonly applying?: StoreMark;
}

/** One stored entry; `key` is the composite key of docs/formats.md#composite-key. */
export interface StoreEntry {
  readonly key: BinaryKey;
  readonly value: Uint8Array;
}

/** One change. `clear` removes every entry whose key begins with `prefix`. */
export type Change =
  | { readonly kind: "put"; readonly key: BinaryKey; readonly value: Uint8Array }
  | { readonly kind: "delete"; readonly key: BinaryKey }
  | { readonly kind: "clear"; readonly prefix: BinaryKey };

/** The changes of one checkpoint in ascending key order, a clear before the puts that follow it. May be iterated again. */
export type Delta = AsyncIterable<readonly Change[]>;

/** `start <= key < end`, in unsigned byte order. */
export interface KeyRange {
  readonly start: BinaryKey;
  readonly end: BinaryKey;
}

/**
 * Working state of one task. Every call may fail with UNAVAILABLE (retryable), FENCED, CHECKPOINT_CORRUPT or CLOSED; before `open` and after
 * `close` all but those two fail with CLOSED.
 */
export interface Store {
  /**
   * Refuses with a clear error what `open` would refuse for this scope: an unreachable or foreign place, one that another process has
   * open. Changes nothing of what a running owner needs, and comes before anybody is fenced.
   */
  prepare?(scope: TaskScope): Promise<void>;
  /**
   * Why `open` reported nothing of what had been stored, for people: it was damaged, of an older format, or could not be trusted. Set by `open`;
   * absent if there was nothing, or all of it is reported.
   */
  readonly emptyBecause?: string | undefined;
  /**
   * Takes over `scope` with `fence`: whoever held it before is FENCED from now on, or, where only one may have it open at a time, this
   * call is refused with UNAVAILABLE until the other has closed. Says what is there, ascending; nothing for key groups it holds nothing of.
   * Once per handle; after a failure it may be tried again.
   * @throws {StateBackendError} besides: STATE_INCOMPATIBLE if the place is someone else's, FORMAT_UNSUPPORTED if a newer version wrote it.
   *   Nothing is removed then.
   */
  open(scope: TaskScope, fence: Fence): Promise<readonly AppliedGroups[]>;
  /** The values of `keys`, in their order, `undefined` where absent. The caller owns the results. */
  getMany(keys: readonly BinaryKey[]): Promise<readonly (Uint8Array | undefined)[]>;
  /** As `getMany`, without a promise; only embedded stores have it. */
  getManySync?(keys: readonly BinaryKey[]): readonly (Uint8Array | undefined)[];
  /** Entries of `range` in unsigned byte order, in chunks. Sees every `apply` that resolved before the call. */
  scan(range: KeyRange): AsyncIterable<readonly StoreEntry[]>;
  /**
   * Applies the changes of a completed checkpoint to all key groups of the scope, one call at a time. Those it held nothing of count as
   * empty before. Idempotent by mark; fenced; durable when it resolves. If it fails, it may have been applied in part: reads then give
   * old or new values of what it changes, and it is to be called again with the same changes before anything else is applied.
   */
  apply(mark: StoreMark, changes: Delta): Promise<void>;
  /** Replaces the content of `groups` by `rows` (ascending), as of `mark`. Until it resolves, `open` reports nothing for them. Durable. */
  load(groups: KeyGroups, rows: AsyncIterable<readonly StoreEntry[]>, mark: StoreMark): Promise<void>;
  /** Removes everything of `groups`. */
  drop(groups: KeyGroups): Promise<void>;
  /** Releases what this handle holds; waits for what is under way. Idempotent. */
  close(): Promise<void>;
}
