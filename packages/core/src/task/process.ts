/**
 * Handles records concurrently: in order per key, up to a limit across keys.
 *
 * Invariants:
 * - At most one record of a key is being handled, and records of a key are handled in the order they came.
 * - A record that is admitted is handled before the next barrier, and `admitted` was called for it before its handler.
 * - If it fails, that is said before it is counted out: no barrier takes what it left half done.
 * - The event loop turns, however many records there are and however little their handlers wait for: or no checkpoint would get on.
 */

import type { Slicer } from "../segment/slicer.js";
import type { InFlight } from "./in-flight.js";
import { isPromise } from "./is-promise.js";

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
  /** Whether the task has room for more changes, and when it will have. */
  readonly hasRoom: () => boolean;
  readonly ready: () => Promise<void>;
  readonly slicer: Slicer;
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
  const { slicer } = scope;
  try {
    if (Symbol.asyncIterator in records) {
      for await (const record of records) {
        await run.admit(record);
        if (slicer.isDue()) await slicer.pause();
      }
    } else {
      for (const record of records) {
        const waiting = run.admit(record);
        if (waiting !== undefined) await waiting;
        if (slicer.isDue()) await slicer.pause();
      }
    }
  } finally {
    await run.settled();
  }
  run.throwIfFailed();
}

/** A record that is being handled, or waits for the one of its key before it. Small: up to 1,000 of them live through each collection of garbage. */
interface Handling<Record, Key> {
  readonly record: Record;
  readonly key: Key;
  readonly identity: unknown;
  /** The next record of its key. */
  next: Handling<Record, Key> | undefined;
}

class Run<Record, Key> {
  readonly #scope: ProcessScope<Record, Key>;
  readonly #options: ProcessOptions<Record>;
  readonly #inFlightMax: number;
  /** The last record of each key that is being handled or waits for one that is. */
  readonly #tails = new Map<unknown, Handling<Record, Key>>();
  #active = 0;
  #onHandled: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(scope: ProcessScope<Record, Key>, options: ProcessOptions<Record>) {
    this.#scope = scope;
    this.#options = options;
    this.#inFlightMax = options.inFlightMax ?? IN_FLIGHT_MAX;
  }

  /** Admits the record; a promise if something has to be waited for, until then or behind it. Not until it is handled. */
  admit(record: Record): Promise<void> | undefined {
    const { inFlight, hasRoom } = this.#scope;
    const isFree = this.#active < this.#inFlightMax && this.#failure === undefined && !inFlight.isClosed;
    return isFree && hasRoom() ? this.#enter(record) : this.#admitWhenFree(record);
  }

  async #admitWhenFree(record: Record): Promise<void> {
    const { inFlight, hasRoom, ready, check } = this.#scope;
    while (this.#active >= this.#inFlightMax) await this.#oneHandled();
    this.throwIfFailed();
    if (!hasRoom()) await ready();
    while (inFlight.isClosed) {
      await inFlight.whenOpen();
      // It may have been closed for good.
      check();
    }
    await this.#enter(record);
  }

  /** A promise if the watermark moves on. */
  #enter(record: Record): Promise<void> | undefined {
    const { inFlight, keyOf, identityOf } = this.#scope;
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
    const handling: Handling<Record, Key> = { record, key, identity, next: undefined };
    const before = this.#tails.get(identity);
    this.#tails.set(identity, handling);
    this.#active++;
    if (before === undefined) this.#handle(handling);
    else before.next = handling;
    const watermark = this.#options.watermarkOf?.(record);
    return watermark === undefined ? undefined : this.#scope.advance(watermark);
  }

  #oneHandled(): Promise<void> {
    return new Promise((resolve) => {
      this.#onHandled = resolve;
    });
  }

  async settled(): Promise<void> {
    while (this.#active > 0) await this.#oneHandled();
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Handles a record, and those of its key behind it, until there is something to wait for. */
  #handle(first: Handling<Record, Key>): void {
    for (let handling: typeof first | undefined = first; handling !== undefined; ) {
      if (this.#begin(handling)) return;
      handling = this.#ended(handling);
    }
  }

  /** Whether the record is still being handled. */
  #begin(handling: Handling<Record, Key>): boolean {
    // After a failure nothing more of this run is handled: what is admitted and not handled comes again after a restore.
    if (this.#failure !== undefined) return false;
    try {
      const handled = this.#scope.handler(handling.record, handling.key);
      if (!isPromise(handled)) return false;
      Promise.resolve(handled).then(
        () => this.#goOn(handling),
        (error: unknown) => {
          this.#fail(error);
          this.#goOn(handling);
        },
      );
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #goOn(handling: Handling<Record, Key>): void {
    const next = this.#ended(handling);
    if (next !== undefined) this.#handle(next);
  }

  /** Counts a record out. Returns the next one of its key. */
  #ended({ identity, next }: Handling<Record, Key>): Handling<Record, Key> | undefined {
    this.#active--;
    if (next === undefined) this.#tails.delete(identity);
    this.#onHandled?.();
    this.#scope.inFlight.leave();
    return next;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#scope.failed(error);
  }
}
