import { describe, expect, it } from "vitest";
import { memoryBudget, tableBytes } from "./memory-budget.js";

const MIB = 1024 * 1024;
const MACHINE = 64 * 1024 * MIB;

describe("the memory of a store", () => {
  it.each(["16mb", "32mb", "58000000b", "256mb", "2gb", 0.5])("is dealt out whole: %s", (memory) => {
    const budget = memoryBudget(memory, MACHINE);
    const { memtableBytes, cacheBytes, blockCacheBytes, writeBufferBytes, totalBytes } = budget;
    expect(memtableBytes + cacheBytes + blockCacheBytes + 2 * writeBufferBytes).toBe(totalBytes);
    expect(Math.min(memtableBytes, cacheBytes, blockCacheBytes)).toBeGreaterThan(MIB);
  });

  it.each([
    ["16mb", 1, 2],
    ["256mb", 16, 8],
    ["512mb", 32, 16],
    ["4gb", 64, 32],
  ])("of %s gives write buffers of %i MiB and tables of %i MiB", (memory, buffer, table) => {
    const budget = memoryBudget(memory, MACHINE);
    expect(budget.writeBufferBytes).toBe(buffer * MIB);
    expect(tableBytes(budget)).toBe(table * MIB);
  });
});
