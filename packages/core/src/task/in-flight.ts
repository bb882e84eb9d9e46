/**
 * Counts the records being handled, and lets a barrier wait for them.
 *
 * Invariants:
 * - Between `close` and `open` no record enters; when `close` has resolved, none is being handled.
 * - With nothing in flight and nobody else closing, `close` takes effect without a promise.
 */

export class InFlight {
  #count = 0;
  #closed = false;
  readonly #onIdle: (() => void)[] = [];
  readonly #onOpen: (() => void)[] = [];

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Counts a record in. Only while not closed. */
  enter(): void {
    this.#count++;
  }

  /** Counts a record out. */
  leave(): void {
    this.#count--;
    if (this.#count === 0) release(this.#onIdle.splice(0));
  }

  /** Lets no record enter any more. A promise if some are still being handled. */
  close(): Promise<void> | undefined {
    this.#closed = true;
    if (this.#count === 0) return undefined;
    return new Promise((resolve) => {
      this.#onIdle.push(resolve);
    });
  }

  open(): void {
    this.#closed = false;
    release(this.#onOpen.splice(0));
  }

  /** Resolves when records may enter. */
  whenOpen(): Promise<void> {
    return new Promise((resolve) => {
      this.#onOpen.push(resolve);
    });
  }
}

function release(waiting: readonly (() => void)[]): void {
  for (const resolve of waiting) resolve();
}
