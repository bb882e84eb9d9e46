/** Damage that comes while a store is open: values are checked at every read, and the next `open` trusts nothing. */

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStorage, type BinaryKey, hasCode, type Store } from "@tidemark/core";
import { ClassicLevel } from "classic-level";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lsm } from "../src/index.js";
import { FENCE, keyOf, markOf, SCOPE } from "./support/history.js";

const TUNING = { compression: false, blockCacheSize: 0 } as const;
const EVERYTHING = { start: "" as BinaryKey, end: "\0\x04" as BinaryKey };

let place: string;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "tidemark-lsm-"));
});

afterEach(async () => {
  await rm(place, { recursive: true });
});

async function openStore(): Promise<Store> {
  const store = lsm({ directory: place, ...TUNING, verify: "logs" }).store.create();
  await store.open(SCOPE, FENCE);
  return store;
}

async function put(store: Store, id: number, text: string): Promise<void> {
  await store.apply(markOf(id), {
    async *[Symbol.asyncIterator]() {
      yield [0, 1, 2].map(
        (index) => ({ kind: "put", key: keyOf(index), value: Buffer.from(`${text} ${index}`) }) as const,
      );
    },
  });
}

/** Changes `text` wherever it is stored. */
async function damage(text: string): Promise<number> {
  let found = 0;
  for (const entry of await readdir(place, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(ldb|log)$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    const at = bytes.indexOf(text);
    if (at < 0) continue;
    found += 1;
    bytes[at] = (bytes[at] as number) ^ 4;
    await writeFile(path, bytes);
  }
  return found;
}

async function scanAll(store: Store): Promise<number> {
  let entries = 0;
  for await (const chunk of store.scan(EVERYTHING)) entries += chunk.length;
  return entries;
}

describe("a value that changed on the disk", () => {
  it("S9 is CHECKPOINT_CORRUPT at every read, and the next open rebuilds", async () => {
    const first = await openStore();
    await put(first, 1, "value");
    await first.close();
    // Opening moves what the log has into a table.
    const store = await openStore();
    expect(await damage("value 1")).toBe(1);
    const reads = [
      () => store.getMany([keyOf(0), keyOf(1)]),
      async () => store.getManySync?.([keyOf(1)]),
      () => scanAll(store),
    ];
    for (const read of reads) {
      const failure = await read().catch((error: unknown) => error);
      expect(hasCode(failure, "CHECKPOINT_CORRUPT"), String(failure)).toBe(true);
      expect(String(failure)).toContain("key=00016b6579203030303030");
    }
    expect(await store.getMany([keyOf(0)])).toHaveLength(1);
    await store.close();

    const again = lsm({ directory: place, ...TUNING, verify: "logs" }).store.create();
    expect(await again.open(SCOPE, FENCE)).toEqual([]);
    expect(again.emptyBecause).toMatch(/damage was found earlier: .*fails its checksum/);
    expect(await scanAll(again)).toBe(0);
    await put(again, 2, "new");
    await again.close();
    const last = await openStore();
    expect(last.emptyBecause).toBeUndefined();
    expect(await scanAll(last)).toBe(3);
    await last.close();
  });

  it("S9 also where one value stands in the place of another", async () => {
    const database = new ClassicLevel<Buffer, Buffer>(join(place, "level"), {
      keyEncoding: "buffer",
      valueEncoding: "buffer",
    });
    const { store: provider } = lsm({ database, checkpoints: memoryStorage() });
    const store = provider.create();
    await store.open(SCOPE, FENCE);
    await put(store, 1, "value");
    const keys = await database.keys().all();
    const stored = keys.filter((key) => key.includes("key 00000"));
    expect(stored).toHaveLength(3);
    await database.put(stored[0] as Buffer, (await database.get(stored[1] as Buffer)) as Buffer);
    const failure = await store.getMany([keyOf(0)]).catch((error: unknown) => error);
    expect(hasCode(failure, "CHECKPOINT_CORRUPT")).toBe(true);
    await store.close();
    const again = provider.create();
    expect(await again.open(SCOPE, FENCE)).toEqual([]);
    expect(again.emptyBecause).toMatch(/damage was found earlier/);
    await again.close();
    await database.close();
  });
});
