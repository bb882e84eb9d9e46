/** One firing: takes due timers from a table, in order, until none is left. */

import type { Slicer } from "../segment/slicer.js";
import type { Epoch } from "../table/epoch.js";
import type { TimerCell, TimerTable } from "../table/timer-table.js";
import type { InFlight } from "./in-flight.js";
import { isPromise } from "./is-promise.js";

const IN_FLIGHT_MAX = 1000;
/** So many timers fire before the clock is looked at. */
const STRETCH = 64;

export interface FiringScope {
  readonly table: TimerTable;
  readonly inFlight: InFlight;
  readonly epoch: Epoch;
  readonly slicer: Slicer;
  /** Up to which time timers are due. */
  readonly limit: () => number;
  /** What tells the keys of timers apart. */
  readonly keyOf: (cell: TimerCell) => unknown;
  readonly handle: (cell: TimerCell) => unknown;
  /** Is told at once of what a handler throws: before it is counted out, so that no barrier takes what it left half done. */
  readonly failed: (error: unknown) => void;
}

export class Firing {
  readonly #scope: FiringScope;
  /** Keys of which a timer is being handled. */
  readonly #busy = new Set<unknown>();
  #failure: { readonly error: unknown } | undefined;
  #onHandled: (() => void) | undefined;

  constructor(scope: FiringScope) {
    this.#scope = scope;
  }

  /** Resolves when no timer is due and all are handled; rejects with the first error when those in flight have settled. */
  async run(): Promise<void> {
    const { inFlight, slicer } = this.#scope;
    try {
      for (let count = 1; this.#failure === undefined; count++) {
        const next = this.#nextDue();
        if (next === undefined && this.#busy.size === 0) return;
        // Every wait may change what comes next, so that it is looked for again.
        if (next === undefined || this.#mustWait(next)) await this.#oneHandled();
        else if (inFlight.isAtBarrier) await inFlight.whenOpen();
        else if (count % STRETCH === 0 && slicer.isDue()) await slicer.pause();
        else this.#begin(next);
      }
    } finally {
      while (this.#busy.size > 0) await this.#oneHandled();
    }
    throw this.#failure.error;
  }

  #nextDue(): TimerCell | undefined {
    const { table, limit, epoch } = this.#scope;
    epoch.check();
    const time = table.firstTime;
    return time !== undefined && time <= limit() ? table.first() : undefined;
  }

  #mustWait(next: TimerCell): boolean {
    if (this.#busy.size === 0) return false;
    return this.#busy.size >= IN_FLIGHT_MAX || this.#busy.has(this.#scope.keyOf(next));
  }

  /** Removes the timer and begins its handler, in one step. */
  #begin(cell: TimerCell): void {
    const { table, inFlight, keyOf, handle } = this.#scope;
    table.remove(cell);
    inFlight.enter();
    try {
      const handled = handle(cell);
      if (!isPromise(handled)) {
        inFlight.leave();
        return;
      }
      const key = keyOf(cell);
      this.#busy.add(key);
      void this.#settled(key, handled);
    } catch (error) {
      this.#fail(error);
      inFlight.leave();
    }
  }

  async #settled(key: unknown, handled: PromiseLike<unknown>): Promise<void> {
    try {
      await handled;
    } catch (error) {
      this.#fail(error);
    }
    this.#busy.delete(key);
    this.#scope.inFlight.leave();
    this.#onHandled?.();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#scope.failed(error);
  }

  #oneHandled(): Promise<void> {
    return new Promise((resolve) => {
      this.#onHandled = resolve;
    });
  }
}
