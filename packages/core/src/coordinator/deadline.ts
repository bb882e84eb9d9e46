/** A time limit on work that may not answer. */

import type { Clock, Timer } from "../contracts/clock.js";
import { StateBackendError } from "../errors.js";

export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: Timer;

  constructor(clock: Clock, timeoutMs: number) {
    this.#timer = clock.schedule(timeoutMs, () => {
      this.#controller.abort(
        new StateBackendError(
          "ABORTED",
          `The checkpoint took too long and was aborted. timeoutMs=${timeoutMs}. Nothing is lost: the next one contains it. Raise timeoutMs if the storage is slow.`,
        ),
      );
    });
  }

  /** Aborted when time is up. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** `work`, or a rejection with ABORTED when time is up. What `work` does later is then ignored. */
  async race<T>(work: Promise<T>): Promise<T> {
    const { signal } = this;
    let onAbort: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener("abort", onAbort);
    });
    try {
      return await Promise.race([work, aborted]);
    } finally {
      if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
    }
  }

  /** Time does not matter any more. */
  end(): void {
    this.#timer.cancel();
  }
}
