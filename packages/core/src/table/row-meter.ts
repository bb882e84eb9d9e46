/** Estimates how many bytes the written rows of a state take in memory, by encoding one in 64. */

import { ByteWriter } from "../bytes/byte-writer.js";
import type { Codec } from "../contracts/codec.js";

/** One less than a power of two. */
const SAMPLE_MASK = 63;
/** Weight of a new sample in the running mean. */
const SAMPLE_WEIGHT = 1 / 8;
/** What a written row takes besides its value until its checkpoint has completed: its key in lists, and its place in them. */
const ROW_OVERHEAD_BYTES = 32;
const FIRST_GUESS_BYTES = 32;
/** What a typed array takes besides its bytes: two objects, and a block of memory outside of the heap. */
const VIEW_BYTES = 160;

const scratch = new ByteWriter();

export class RowMeter {
  readonly #codec: Codec<unknown>;
  #meanBytes = FIRST_GUESS_BYTES;

  constructor(codec: Codec<unknown>) {
    this.#codec = codec;
  }

  /** Estimated bytes of a row. */
  get rowBytes(): number {
    return ROW_OVERHEAD_BYTES + this.#meanBytes;
  }

  /** Whether the `count`th row is to be sampled. */
  isDue(count: number): boolean {
    return (count & SAMPLE_MASK) === 1;
  }

  /** Samples those of the rows to come that are due, after `count` others. */
  sampleNext(count: number, values: readonly unknown[]): void {
    const firstDue = (SAMPLE_MASK + 1 - (count & SAMPLE_MASK)) & SAMPLE_MASK;
    for (let at = firstDue; at < values.length; at += SAMPLE_MASK + 1) this.sample(values[at]);
  }

  /** Called before anything changes: a codec of the user's own may throw. */
  sample(value: unknown): void {
    scratch.reset();
    this.#codec.write(value, scratch);
    const bytes = scratch.length + (ArrayBuffer.isView(value) ? VIEW_BYTES : 0);
    this.#meanBytes += (bytes - this.#meanBytes) * SAMPLE_WEIGHT;
  }
}
