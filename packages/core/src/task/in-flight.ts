/**
 * Counts the records and timers being handled, and lets a barrier, or the firing of timers, wait for them.
 *
 * Invariants:
 * - Between `close` and `open` no record enters; when `close` has resolved, none is being handled.
 * - Between `pause` and `resume`, and between `halt` and `goOn`, no record enters, but timers do unless a barrier has closed.
 * - With nothing in flight and nobody else closing, `close` takes effect without a promise.
 */

export class InFlight {
  #count = 0;
  #barriers = 0;
  #isPaused = false;
  #isHalted = false;
  readonly #onIdle: (() => void)[] = [];
  readonly #onOpen: (() => void)[] = [];

  /** Whether no record may enter. */
  get isClosed(): boolean {
    return this.#barriers > 0 || this.#isPaused || this.#isHalted;
  }

  /** Whether nothing may enter, timers included. */
  get isAtBarrier(): boolean {
    return this.#barriers > 0;
  }

  /** Counts a record or timer in. Only while not closed, for a timer while not at a barrier. */
  enter(): void {
    this.#count++;
  }

  /** Counts a record or timer out. */
  leave(): void {
    this.#count--;
    if (this.#count === 0) release(this.#onIdle.splice(0));
  }

  /** Lets nothing enter any more. A promise if some are still being handled. */
  close(): Promise<void> | undefined {
    this.#barriers++;
    return this.whenIdle();
  }

  open(): void {
    this.#barriers--;
    release(this.#onOpen.splice(0));
  }

  /** Lets no record enter, only timers. One at a time. A promise if some are still being handled. */
  pause(): Promise<void> | undefined {
    this.#isPaused = true;
    return this.whenIdle();
  }

  resume(): void {
    this.#isPaused = false;
    release(this.#onOpen.splice(0));
  }

  /** Lets no record enter, only timers, because the job is being stopped. A promise if some are still being handled. */
  halt(): Promise<void> | undefined {
    this.#isHalted = true;
    return this.whenIdle();
  }

  /** Ends what `halt` began. */
  goOn(): void {
    this.#isHalted = false;
    release(this.#onOpen.splice(0));
  }

  /** A promise if some are being handled. */
  whenIdle(): Promise<void> | undefined {
    if (this.#count === 0) return undefined;
    return new Promise((resolve) => {
      this.#onIdle.push(resolve);
    });
  }

  /** Resolves when something may have changed about who may enter: look again. */
  whenOpen(): Promise<void> {
    return new Promise((resolve) => {
      this.#onOpen.push(resolve);
    });
  }
}

function release(waiting: readonly (() => void)[]): void {
  for (const resolve of waiting) resolve();
}
