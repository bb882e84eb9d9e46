/** One update of a key at a time; updates of other keys go on. */

import type { KeyIdentity } from "../contracts/codec.js";

export class KeyLocks {
  readonly #tails = new Map<KeyIdentity, Promise<void>>();

  /** Runs `action` after every earlier one of the same key has settled. */
  async run<T>(key: KeyIdentity, action: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    let release!: () => void;
    const mine = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#tails.set(key, mine);
    try {
      if (before !== undefined) await before;
      return await action();
    } finally {
      if (this.#tails.get(key) === mine) this.#tails.delete(key);
      release();
    }
  }
}
