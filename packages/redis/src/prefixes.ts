/** Which keys begin with one of many prefixes. */

import type { BinaryKey } from "@tidemark/core";

export class Prefixes {
  /** Ascending, none of them beginning with another. */
  readonly #prefixes: readonly BinaryKey[];

  constructor(prefixes: readonly BinaryKey[]) {
    const kept: BinaryKey[] = [];
    for (const prefix of [...prefixes].sort()) {
      const last = kept.at(-1);
      if (last === undefined || !prefix.startsWith(last)) kept.push(prefix);
    }
    this.#prefixes = kept;
  }

  /** The only one; `undefined` if there are more. */
  get only(): BinaryKey | undefined {
    return this.#prefixes.length === 1 ? this.#prefixes[0] : undefined;
  }

  /** Whether `key` begins with one: that can only be the last that is not above it. */
  has(key: BinaryKey): boolean {
    let low = 0;
    let high = this.#prefixes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#prefixes[middle] as BinaryKey) <= key) low = middle + 1;
      else high = middle;
    }
    return low > 0 && key.startsWith(this.#prefixes[low - 1] as BinaryKey);
  }
}
