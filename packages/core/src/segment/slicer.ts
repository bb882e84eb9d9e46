/**
 * Cuts long work into slices, so that the event loop never stalls. One slicer serves everything that runs in turn for the same
 * work: two would each take the other's pause for work of its own, and pause again.
 */

import type { Clock } from "../contracts/clock.js";

const SLICE_MS = 2;

export class Slicer {
  readonly #clock: Clock;
  #start: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#start = clock.monotonic();
  }

  /** Whether the slice has lasted long enough. */
  isDue(): boolean {
    return this.#clock.monotonic() - this.#start >= SLICE_MS;
  }

  /** Lets others run, then begins the next slice. */
  async pause(): Promise<void> {
    await this.#clock.yield();
    this.#start = this.#clock.monotonic();
  }
}
