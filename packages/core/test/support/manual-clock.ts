/**
 * A clock that a test moves by hand.
 *
 * Invariants:
 * - Time stands still between two calls of `advance`. Timers fire in `advance` only, in the order of their times.
 */

import type { Clock, Timer } from "../../src/index.js";

interface Pending {
  readonly atMs: number;
  readonly action: () => void;
}

export class ManualClock implements Clock {
  #nowMs = 1_700_000_000_000;
  #pending: Pending[] = [];

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, action: () => void): Timer {
    const pending: Pending = { atMs: this.#nowMs + delayMs, action };
    this.#pending.push(pending);
    return { cancel: () => this.#remove(pending) };
  }

  async yield(): Promise<void> {}

  /** Timers that were set and neither fired nor cancelled. */
  get pendingCount(): number {
    return this.#pending.length;
  }

  /** Lets time pass, and fires what is due. */
  advance(ms: number): void {
    this.#nowMs += ms;
    for (let next = this.#nextDue(); next !== undefined; next = this.#nextDue()) {
      this.#remove(next);
      next.action();
    }
  }

  #nextDue(): Pending | undefined {
    const due = this.#pending.filter(({ atMs }) => atMs <= this.#nowMs);
    return due.sort((a, b) => a.atMs - b.atMs)[0];
  }

  #remove(pending: Pending): void {
    this.#pending = this.#pending.filter((other) => other !== pending);
  }
}
