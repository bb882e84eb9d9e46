/**
 * A clock that a test moves by hand.
 *
 * Invariants:
 * - Timers fire in `advance` only, in the order of their times; how long they take does not depend on the time of day.
 * - `monotonic` never goes back.
 * - Each look at `monotonic` takes `tickMs`, so that work in slices pauses as it would on a slow machine.
 */

import type { Clock, Timer } from "@tidemark/core";
import { START_MS } from "../model/domains.js";

interface Pending {
  readonly atMs: number;
  readonly action: () => void;
}

export class ManualClock implements Clock {
  readonly #tickMs: number;
  /** Time of day and time passed. */
  #nowMs = START_MS;
  #passedMs = START_MS;
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
    return this.#passedMs + this.#looks * this.#tickMs;
  }

  schedule(delayMs: number, action: () => void): Timer {
    const pending: Pending = { atMs: this.#passedMs + delayMs, action };
    this.#pending.push(pending);
    return { cancel: () => this.#remove(pending) };
  }

  async yield(): Promise<void> {}

  /** Lets time pass, and fires what is due. */
  advance(ms: number): void {
    this.#nowMs += ms;
    this.#passedMs += ms;
    for (let next = this.#nextDue(); next !== undefined; next = this.#nextDue()) {
      this.#remove(next);
      next.action();
    }
  }

  /** Sets the time of day back: no time passes, and nothing fires. */
  setBack(ms: number): void {
    this.#nowMs -= ms;
  }

  #nextDue(): Pending | undefined {
    const due = this.#pending.filter(({ atMs }) => atMs <= this.#passedMs);
    return due.sort((a, b) => a.atMs - b.atMs)[0];
  }

  #remove(pending: Pending): void {
    this.#pending = this.#pending.filter((other) => other !== pending);
  }
}
