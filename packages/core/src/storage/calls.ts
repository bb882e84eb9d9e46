/**
 * The calls that run on a handle, so that closing it waits for them.
 *
 *     open --close()--> closing --all settled, release()--> closed
 *
 * Invariants:
 * - No call begins after `close` was called.
 * - `release` runs once, when no call runs any more.
 */

import { StateBackendError } from "../errors.js";

/** The calls of one handle. */
export class Calls {
  readonly #refusal: string;
  readonly #pending = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  /** @param refusal what calls after `close` fail with, for people: "Checkpoint storage is closed. Open the directory again." */
  constructor(refusal: string) {
    this.#refusal = refusal;
  }

  /** Whether `close` was called. */
  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /**
   * The result of `call`.
   * @throws {StateBackendError} CLOSED after `close` was called
   */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.isClosed) throw new StateBackendError("CLOSED", this.#refusal);
    return this.finish(call);
  }

  /** Like `run`, for the end of what began before `close`. */
  async finish<T>(call: () => Promise<T>): Promise<T> {
    const pending = call();
    this.#pending.add(pending);
    try {
      return await pending;
    } finally {
      this.#pending.delete(pending);
    }
  }

  /** Refuses new calls, waits for those that run, then runs `release`. Idempotent. */
  close(release: () => Promise<void>): Promise<void> {
    this.#closed ??= this.#close(release);
    return this.#closed;
  }

  async #close(release: () => Promise<void>): Promise<void> {
    // Several rounds: what runs may still finish something. Nothing new begins, so this ends.
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
    await release();
  }
}
