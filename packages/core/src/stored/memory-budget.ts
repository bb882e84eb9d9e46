/** How much memory what a task has read and written may take together. Changes always have room; what the store has as well gives way. */

/** A part of a task that takes memory. */
export interface MemoryUser {
  /** Bytes of changes that the store does not have. */
  readonly unappliedBytes: number;
  /** Bytes of what the store has as well. */
  readonly cleanBytes: number;
  /** Lets about so many bytes go of what the store has as well, what was used longest ago first. */
  forget(bytes: number): void;
}

/** When the limit is passed, so much more is let go that it is not passed again at once. */
const SLACK = 1 / 64;

export class MemoryBudget {
  /** Bytes for everything. */
  readonly limitBytes: number;
  readonly #cacheBytes: number;
  readonly #users: MemoryUser[] = [];

  /** `cacheBytes` are for what the store has as well, and so much of `memtableBytes` as changes do not take. */
  constructor({ cacheBytes, memtableBytes }: { readonly cacheBytes: number; readonly memtableBytes: number }) {
    this.limitBytes = cacheBytes + memtableBytes;
    this.#cacheBytes = cacheBytes;
  }

  add(user: MemoryUser): void {
    this.#users.push(user);
  }

  /** Bytes of what the store has as well. */
  get cleanBytes(): number {
    return this.#users.reduce((sum, { cleanBytes }) => sum + cleanBytes, 0);
  }

  /** Makes room, each user in proportion to what it has that can go. */
  settle(): void {
    const clean = this.cleanBytes;
    const unapplied = this.#users.reduce((sum, { unappliedBytes }) => sum + unappliedBytes, 0);
    const excess = clean - Math.max(this.#cacheBytes, this.limitBytes - unapplied);
    if (excess <= 0 || clean === 0) return;
    const share = Math.min(1, (excess + this.limitBytes * SLACK) / clean);
    for (const user of this.#users) user.forget(user.cleanBytes * share);
  }
}
