/**
 * Handles records concurrently: in order per key, up to a limit across keys.
 *
 * Invariants:
 * - At most one record of a key is being handled, and records of a key are handled in the order they came.
 * - A record that is admitted is handled before the next barrier, and `admitted` was called for it before its handler.
 * - If it fails, that is said before it is counted out: no barrier takes what it left half done.
 */

import type { InFlight } from "./in-flight.js";

const IN_FLIGHT_MAX = 1000;

export interface ProcessOptions<Record> {
  /**
   * Called, in order, when a record is admitted: the place to keep the source position. A checkpoint then holds the effects of
   * exactly the records that were admitted before it.
   */
  readonly admitted?: (record: Record) => void;
  /**
   * How many records may be in flight.
   * @defaultValue 1000
   */
  readonly inFlightMax?: number;
  /** The watermark after a record, if it moves it on: the task's watermark is there before the next record is admitted. */
  readonly watermarkOf?: (record: Record) => number | undefined;
}

export interface ProcessScope<Record, Key> {
  readonly inFlight: InFlight;
  /** Throws if the task takes no calls any more. */
  readonly check: () => void;
  /** Resolves when the task has room for more changes. */
  readonly ready: () => Promise<void>;
  readonly keyOf: (record: Record) => Key;
  readonly identityOf: (key: Key) => unknown;
  readonly advance: (watermark: number) => Promise<void>;
  readonly handler: (record: Record, key: Key) => unknown;
  /** Is told at once of what `admitted` or a handler throws. */
  readonly failed: (error: unknown) => void;
}

/** Resolves when all records are handled; rejects with the first error when those in flight have settled. */
export async function processRecords<Record, Key>(
  records: Iterable<Record> | AsyncIterable<Record>,
  scope: ProcessScope<Record, Key>,
  options: ProcessOptions<Record>,
): Promise<void> {
  const run = new Run(scope, options);
  try {
    for await (const record of records) await run.admit(record);
  } finally {
    await run.settled();
  }
  run.throwIfFailed();
}

class Run<Record, Key> {
  readonly #scope: ProcessScope<Record, Key>;
  readonly #options: ProcessOptions<Record>;
  /** The last record of each key that is being handled or waits for one that is. */
  readonly #tails = new Map<unknown, Promise<void>>();
  readonly #active = new Set<Promise<void>>();
  #onHandled: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(scope: ProcessScope<Record, Key>, options: ProcessOptions<Record>) {
    this.#scope = scope;
    this.#options = options;
  }

  /** Resolves when the record is admitted, not when it is handled. */
  async admit(record: Record): Promise<void> {
    const { inFlight, ready, check, keyOf, identityOf } = this.#scope;
    while (this.#active.size >= (this.#options.inFlightMax ?? IN_FLIGHT_MAX)) await this.#oneHandled();
    this.throwIfFailed();
    await ready();
    while (inFlight.isClosed) {
      await inFlight.whenOpen();
      // It may have been closed for good.
      check();
    }
    const key = keyOf(record);
    const identity = identityOf(key);
    inFlight.enter();
    try {
      this.#options.admitted?.(record);
    } catch (error) {
      this.#scope.failed(error);
      inFlight.leave();
      throw error;
    }
    const handled = this.#handle(record, key, this.#tails.get(identity)).finally(() => {
      this.#active.delete(handled);
      this.#onHandled?.();
      if (this.#tails.get(identity) === handled) this.#tails.delete(identity);
      inFlight.leave();
    });
    this.#tails.set(identity, handled);
    this.#active.add(handled);
    const watermark = this.#options.watermarkOf?.(record);
    if (watermark !== undefined) await this.#scope.advance(watermark);
  }

  #oneHandled(): Promise<void> {
    return new Promise((resolve) => {
      this.#onHandled = resolve;
    });
  }

  async settled(): Promise<void> {
    while (this.#active.size > 0) await Promise.all(this.#active);
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #handle(record: Record, key: Key, before: Promise<void> | undefined): Promise<void> {
    if (before !== undefined) await before;
    // After a failure nothing more of this run is handled: what is admitted and not handled comes again after a restore.
    if (this.#failure !== undefined) return;
    try {
      await this.#scope.handler(record, key);
    } catch (error) {
      this.#failure ??= { error };
      this.#scope.failed(error);
    }
  }
}
