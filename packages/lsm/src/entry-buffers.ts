/** Buffers for entries on their way into a database. */

/** Larger ones are rare, and worth an allocation of their own. */
const REUSED_BYTES = 1024;

/**
 * Gives a buffer of some length, for one use.
 *
 * LevelDB's batches copy what they are given before they return, so a database of our own is given the same buffer again and again: collecting
 * them would be a fifth of the work of a write. Other databases may keep what they are given.
 */
export class EntryBuffers {
  readonly #reused: (Buffer | undefined)[] | undefined;

  constructor(isCopied: boolean) {
    this.#reused = isCopied ? Array.from({ length: REUSED_BYTES + 1 }) : undefined;
  }

  take(length: number): Buffer {
    if (this.#reused === undefined || length > REUSED_BYTES) return Buffer.allocUnsafe(length);
    const buffer = this.#reused[length] ?? Buffer.allocUnsafeSlow(length);
    this.#reused[length] = buffer;
    return buffer;
  }
}
