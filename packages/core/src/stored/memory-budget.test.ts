/** How much goes when memory gets short. */

import { describe, expect, test } from "vitest";
import { MemoryBudget, type MemoryUser } from "./memory-budget.js";

const MIB = 1024 * 1024;

class Cache implements MemoryUser {
  readonly unappliedBytes = 0;
  cleanBytes = 0;

  forget(bytes: number): void {
    this.cleanBytes -= bytes;
  }
}

describe("memory budget", () => {
  test.each([64, 65_536])("T144 lets little go at once, also of much; MiB: %d", (limit) => {
    const budget = new MemoryBudget({ cacheBytes: limit * MIB, memtableBytes: 0 });
    const caches = [new Cache(), new Cache()];
    for (const cache of caches) budget.add(cache);
    for (const cache of caches) cache.cleanBytes = (limit * MIB) / 2 + 50;
    budget.settle();
    expect(budget.cleanBytes).toBeLessThan(limit * MIB);
    expect(budget.cleanBytes).toBeGreaterThan((limit - 2) * MIB);
  });
});
