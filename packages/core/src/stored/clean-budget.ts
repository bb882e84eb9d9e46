/** How much memory the clean layers of a task may take together. */

/** What a budget is spent on. */
export interface Cache {
  readonly cleanBytes: number;
  /** Lets the oldest part go. Whether there was one. */
  forgetOldest(): boolean;
}

export class CleanBudget {
  readonly limitBytes: number;
  readonly #caches: Cache[] = [];

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  add(cache: Cache): void {
    this.#caches.push(cache);
  }

  get usedBytes(): number {
    return this.#caches.reduce((sum, { cleanBytes }) => sum + cleanBytes, 0);
  }

  /** Makes room by letting go of what the largest cache has had longest. */
  settle(): void {
    while (this.usedBytes > this.limitBytes) {
      const largest = this.#caches.reduce((a, b) => (b.cleanBytes > a.cleanBytes ? b : a));
      if (!largest.forgetOldest()) return;
    }
  }
}
