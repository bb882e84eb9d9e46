/** What a task's chain does to what is frozen when its uploads fail. */

import { describe, expect, test } from "vitest";
import { systemClock } from "../clock.js";
import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";
import { EMPTY_KEY } from "../key/binary-key.js";
import { string } from "../key/string-key.js";
import { Slicer } from "../segment/slicer.js";
import { memoryStorage } from "../storage/memory-storage.js";
import { EncodedRows } from "../stored/encoded-rows.js";
import { MemoryBudget } from "../stored/memory-budget.js";
import { ChunkPool } from "../stored/row-chunk.js";
import { RowKey } from "../stored/row-key.js";
import { Address } from "../table/address.js";
import { FrozenTable } from "../table/frozen-table.js";
import { type ExtendRequest, TaskChain } from "./task-chain.js";

const REQUEST: ExtendRequest = {
  kind: "incremental",
  liveRows: 1,
  nextLeaf: () => "leaf",
  compression: "none",
  codecVersions: new Map(),
  clock: systemClock,
  signal: new AbortController().signal,
};

/** Refuses what is put, before it has read any of it. */
function fullStorage(): CheckpointStorage {
  return Object.assign(Object.create(memoryStorage()) as CheckpointStorage, {
    put: () => Promise.reject(new Error("full")),
  });
}

describe("a chain whose uploads fail", () => {
  test.each(["extend", "uploadDelta", "copyTo"] as const)("T144 holds nothing any more after %s", async (name) => {
    const rows = new EncodedRows(new MemoryBudget({ cacheBytes: 0, memtableBytes: 0 }), new ChunkPool(0));
    const key = new RowKey(1, new Address(string(), undefined), 8);
    key.set("k", EMPTY_KEY);
    rows.write(key, undefined);
    const table = new FrozenTable([rows.freeze(1, 1, 0)], { epoch: 1, bytes: 0 });
    const place = { storage: fullStorage(), prefix: "" };
    const chain = new TaskChain(place, []);
    chain.freeze(table);
    const uploads = {
      extend: () => chain.extend(REQUEST),
      uploadDelta: () => chain.uploadDelta(table, REQUEST),
      copyTo: () => chain.copyTo(place, REQUEST),
    };
    await expect(uploads[name]()).rejects.toThrow("full");
    rows.applied(1);
    expect(() => table.entries(new Slicer(systemClock))).toThrow(/frozen rows are read while they are there/);
  });
});
