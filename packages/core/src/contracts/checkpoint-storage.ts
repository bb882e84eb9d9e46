/**
 * What Tidemark asks of a place that keeps checkpoints: write-once objects, and create-if-absent.
 *
 * Everything cleverer (publishing, fencing, lineage, retention, garbage) is built on this once, in core/src/checkpoint.
 * The clauses CS1 to CS9 in docs/contract.md number what follows.
 */

/** Bytes `start` to `end - 1`. `0 <= start <= end`, both at most the object's length. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** One object of a listing. */
export interface StoredObject {
  readonly name: string;
  /** Length of the body, bytes. */
  readonly bytes: number;
}

export interface PutOptions {
  /** Fail softly if an object of that name exists: at most one of any number of concurrent calls creates it. */
  readonly ifAbsent: boolean;
}

/**
 * `created`: the object is the caller's. `exists`: there was one before, and nothing changed.
 */
export type PutOutcome = "created" | "exists";

/** What is done in the transaction that creates an object. `Client` is what the storage lets statements be sent with. */
export interface TransactionalPut<Client> {
  /**
   * Done once the object is sure to be created, if all is committed. If the transaction has to be made again, this is called again, and what it did before
   * has not taken place.
   */
  readonly work: (client: Client) => Promise<void>;
  /** The names of an object and of the one that would follow it in the same folder: nothing is done unless `last` is the last in its folder. */
  readonly guard?: NameGuard;
}

export interface NameGuard {
  readonly last: string;
  /** Whoever creates it has done so before, and this call is refused; or waits until this call has ended, and sees what it has done. */
  readonly next: string;
}

/** As `PutOutcome`; `refused`: the guard found another last name, and nothing changed. */
export type TransactionalOutcome = PutOutcome | "refused";

/**
 * Write-once objects under hierarchical names. `Client` is told by storages that have `putWith`.
 * *
 * Names are what core makes them: parts of `[a-z0-9._-]`, at most 120 characters each, joined by `/`, none of them `.` or `..`;
 * at most 1,024 characters. No name continues another (`a` and `a/b`). A storage refuses others with a `RangeError`
 * (`partsOfObjectName`). All bytes are opaque to the storage.
 */
export interface CheckpointStorage<Client = never> {
  /**
   * Stores `body` under `name`, whole or not at all. Durable when it resolves, including the name itself.
   * A body is never replaced in place: without `ifAbsent`, core calls it only with names that no one else uses, and repeats
   * the call, if at all, with the same body, which gives `created` again. `exists` is answered only about a durable object: so an
   * unknown outcome is resolved by repeating the call with `ifAbsent`. If `body` throws, the put fails with that error and leaves nothing.
   * The storage neither keeps nor changes the given buffers after it asked for the next one or resolved.
   * @throws {StateBackendError} UNAVAILABLE with `outcome` `not-applied` if surely nothing was stored, `unknown` if that cannot be told
   * @throws {StateBackendError} CHECKPOINT_CORRUPT if, without `ifAbsent`, there is an object of other content; it stays
   * @throws {StateBackendError} LIMIT_EXCEEDED if the body is larger than this storage may hold
   */
  put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutOutcome>;

  /**
   * As `put` with `ifAbsent`, and work of the caller's in the transaction that creates the object: both take place, or neither. A storage without
   * transactions has no such method. An unknown outcome is one of both, and is resolved by repeating the call: if the object exists, `work` is not called.
   * @throws what `work` throws, as it is; then nothing is stored
   * @throws {StateBackendError} as `put`
   */
  putWith?(name: string, body: Uint8Array, put: TransactionalPut<Client>): Promise<TransactionalOutcome>;

  /**
   * The bytes of an object, or of a range of it, in order, in chunks of any length. The caller owns the chunks.
   * Sees every put that resolved before the call.
   * @throws {StateBackendError} CHECKPOINT_NOT_FOUND if there is no such object
   * @throws {StateBackendError} CHECKPOINT_CORRUPT if the object ends before the range does
   * @throws {StateBackendError} UNAVAILABLE if it could not be read; never a shorter result instead
   */
  get(name: string, range?: ByteRange): AsyncIterable<Uint8Array>;

  /**
   * All objects whose names begin with `prefix` (whole path segments, ending in `/`, or empty), in any order.
   * Sees every put that resolved before the call, and no object of which nothing was ever stored whole.
   * @throws {StateBackendError} UNAVAILABLE if the listing is not complete; never a part of it instead
   */
  list(prefix: string): AsyncIterable<StoredObject>;

  /**
   * Removes objects, one after the other in the order given; absent ones are passed over. Durable when it resolves:
   * an object is never back after a later one of the same call is gone.
   * @throws {StateBackendError} UNAVAILABLE if some may remain
   */
  remove(names: readonly string[]): Promise<void>;

  /** Releases what this handle holds, nothing that is stored; waits for calls under way. Idempotent. Later calls fail with CLOSED. */
  close(): Promise<void>;
}
