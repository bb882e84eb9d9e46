/** Calls under way, for a `close` that waits for them. */

import { StateBackendError } from "@tidemark/core";

export class Underway {
  readonly #calls = new Set<Promise<unknown>>();
  #isClosed = false;

  /** @throws {StateBackendError} CLOSED after `close` */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new StateBackendError("CLOSED", "The storage is closed. Open another handle.");
    const running = call();
    this.#calls.add(running);
    try {
      return await running;
    } finally {
      this.#calls.delete(running);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#calls);
  }
}
