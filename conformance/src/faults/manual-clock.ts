/**
 * A clock that a test moves by hand.
 *
 * Invariants:
 * - Timers fire in `advance` only, in the order of their times.
 * - Each look at `monotonic` takes `tickMs`, so that work in slices pauses as it would on a slow machine.
 */

import type { Clock, Timer } from "@tidemark/core";

interface Pending {
  readonly atMs: number;
  readonly action: () => void;
}

export class ManualClock implements Clock {
  readonly #tickMs: number;
  #nowMs = 1_000_000;
  #looks = 0;
  #pending: Pending[] = [];

  constructor(tickMs = 0.7) {
    this.#tickMs = tickMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    this.#looks++;
    return this.#nowMs + this.#looks * this.#tickMs;
  }

  schedule(delayMs: number, action: () => void): Timer {
    const pending: Pending = { atMs: this.#nowMs + delayMs, action };
    this.#pending.push(pending);
    return { cancel: () => this.#remove(pending) };
  }

  async yield(): Promise<void> {}

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
