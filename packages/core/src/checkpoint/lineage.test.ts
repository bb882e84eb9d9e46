import { describe, expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.js";
import { objectsOf } from "../../test/support/objects.js";
import { RecordingStorage } from "../../test/support/recording-storage.js";
import { seededRandom } from "../../test/support/seeded-random.js";
import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";
import { hasCode } from "../errors.js";
import { memoryStorage } from "../storage/memory-storage.js";
import { GarbageCollector } from "./garbage.js";
import { Lineage, readPublished } from "./lineage.js";
import { encodeManifest } from "./manifest.js";
import { JobNames, segmentLeaf } from "./names.js";

const NAMES = new JobNames("job");
const NONCE = "0".repeat(32);

const acquire = (storage: CheckpointStorage, seed = 1) => Lineage.acquire(storage, NAMES, seededRandom(seed));

function manifestOf({ attempt }: Lineage, checkpoint: number, retains: readonly number[] = [checkpoint]): Buffer {
  return encodeManifest({
    job: "job",
    kind: "checkpoint",
    checkpoint,
    attempt,
    parent: null,
    retains,
    createdAt: 0,
    durationMs: 0,
    fullBytes: 0,
    incrementalBytes: 0,
    operators: [],
  });
}

const publish = (lineage: Lineage, checkpoint: number, retains?: readonly number[]) =>
  lineage.publish(checkpoint, manifestOf(lineage, checkpoint, retains));

async function publishedIds(storage: CheckpointStorage): Promise<number[]> {
  return (await readPublished(storage, NAMES)).manifests.map(({ checkpoint }) => checkpoint);
}

describe("a lineage", () => {
  test("counts attempts from one and finds nothing in an empty place", async () => {
    const storage = memoryStorage();
    const { lineage, published } = await acquire(storage);
    expect(lineage.attempt.number).toBe(1);
    expect(lineage.attempt.nonce).toMatch(/^[0-9a-f]{32}$/);
    expect(published).toEqual({ manifests: [], highestId: 0 });
    expect((await acquire(storage)).lineage.attempt.number).toBe(2);
  });

  test("fences whoever was owner before", async () => {
    const storage = memoryStorage();
    const { lineage: old } = await acquire(storage);
    await publish(old, 1);
    const { lineage, published } = await acquire(storage, 2);
    expect(published.manifests.map(({ checkpoint }) => checkpoint)).toEqual([1]);
    await expect(old.assertOwner()).rejects.toMatchObject({ code: "FENCED", outcome: "unknown" });
    await expect(publish(old, 2)).rejects.toMatchObject({ code: "FENCED" });
    await lineage.assertOwner();
    await publish(lineage, 3, [1, 3]);
    expect(await publishedIds(storage)).toEqual([1, 3]);
  });

  test("never gives an id again that a void manifest has", async () => {
    const storage = memoryStorage();
    const { lineage: old } = await acquire(storage);
    await acquire(storage, 2);
    await expect(publish(old, 7)).rejects.toMatchObject({ code: "FENCED" });
    expect(await readPublished(storage, NAMES)).toEqual({ manifests: [], highestId: 7 });
  });

  test("has at most one owner after 32 acquire it at once, and no attempt twice", async () => {
    for (let seed = 0; seed < 5; seed++) {
      const storage = memoryStorage();
      const settled = await Promise.allSettled(Array.from({ length: 32 }, (_, i) => acquire(storage, seed * 100 + i)));
      const lineages = settled.flatMap((result) => (result.status === "fulfilled" ? [result.value.lineage] : []));
      for (const result of settled) {
        if (result.status === "rejected") expect(hasCode(result.reason, "FENCED")).toBe(true);
      }
      const numbers = lineages.map(({ attempt }) => attempt.number);
      expect(new Set(numbers).size).toBe(numbers.length);
      const published = await Promise.allSettled(lineages.map((lineage) => publish(lineage, 1)));
      const owners = published.filter(({ status }) => status === "fulfilled");
      expect(owners.length).toBeLessThanOrEqual(1);
      expect((await publishedIds(storage)).length).toBe(owners.length);
      const { lineage } = await acquire(storage, 999);
      expect(lineage.attempt.number).toBeGreaterThan(Math.max(0, ...numbers));
    }
  });

  test("shows only what the latest checkpoint retains", async () => {
    const storage = memoryStorage();
    const { lineage } = await acquire(storage);
    await publish(lineage, 1, [1]);
    await publish(lineage, 2, [1, 2]);
    await publish(lineage, 3, [2, 3]);
    expect(await publishedIds(storage)).toEqual([2, 3]);
  });

  test.each(["checkpoints", "lineages"] as const)(
    "takes a place without its %s for damaged, not for new",
    async (part) => {
      const storage = memoryStorage();
      const { lineage } = await acquire(storage);
      await publish(lineage, 1);
      await storage.remove([...(await objectsOf(storage, NAMES[part])).keys()]);
      await expect(readPublished(storage, NAMES)).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
      await expect(acquire(storage, 2)).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
    },
  );

  test("refuses a record of an attempt that is damaged", async () => {
    const storage = memoryStorage();
    await acquire(storage);
    const [[name, body]] = [...(await objectsOf(storage, NAMES.lineages))] as [[string, Buffer]];
    await storage.remove([name]);
    await storage.put(name, body.subarray(1));
    await expect(readPublished(storage, NAMES)).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
  });

  test("passes over objects that are none of ours", async () => {
    const storage = memoryStorage();
    for (const prefix of [NAMES.owners, NAMES.lineages, NAMES.marks, NAMES.checkpoints, NAMES.segments]) {
      await storage.put(`${prefix}stranger`, Buffer.from("x"));
    }
    const { lineage } = await acquire(storage);
    expect(lineage.attempt.number).toBe(1);
    await publish(lineage, 1);
    expect(await publishedIds(storage)).toEqual([1]);
  });
});

describe("garbage", () => {
  async function place() {
    const storage = new RecordingStorage(memoryStorage());
    const clock = new ManualClock();
    const { lineage } = await acquire(storage);
    const collector = new GarbageCollector({ storage, names: NAMES, lineage, clock, graceMs: 1000 });
    const put = async (attempt: number, count: number): Promise<string> => {
      const leaf = segmentLeaf(attempt, NONCE, count);
      await storage.put(NAMES.segments + leaf, Buffer.from("x"));
      return leaf;
    };
    return { storage, clock, lineage, collector, put };
  }
  const NOTHING = { manifests: new Set<string>(), segments: new Set<string>() };

  test("is a segment that nothing needs, after the grace period", async () => {
    const { storage, clock, collector, put } = await place();
    const [unneeded, needed] = [await put(1, 1), await put(1, 2)];
    const reachable = { ...NOTHING, segments: new Set([needed]) };
    await collector.collect(reachable);
    clock.advance(999);
    await collector.collect(reachable);
    expect(storage.removed).toEqual([]);
    clock.advance(1);
    await collector.collect(reachable);
    expect(storage.removed).toEqual([NAMES.segments + unneeded]);
  });

  test("is no longer what is needed again; its grace period begins anew", async () => {
    const { storage, clock, collector, put } = await place();
    const leaf = await put(1, 1);
    await collector.collect(NOTHING);
    clock.advance(900);
    await collector.collect({ ...NOTHING, segments: new Set([leaf]) });
    clock.advance(900);
    await collector.collect(NOTHING);
    expect(storage.removed).toEqual([]);
    clock.advance(1000);
    await collector.collect(NOTHING);
    expect(storage.removed).toHaveLength(1);
  });

  test("is nothing of a newer attempt, and nothing that is not ours", async () => {
    const { storage, clock, collector, put } = await place();
    await put(2, 1);
    await storage.put(`${NAMES.segments}stranger`, Buffer.from("x"));
    await storage.put(NAMES.checkpoint(9, 2), Buffer.from("x"));
    await storage.put(new JobNames("other").segments + segmentLeaf(1, NONCE, 1), Buffer.from("x"));
    for (let i = 0; i < 3; i++) {
      await collector.collect(NOTHING);
      clock.advance(10_000);
    }
    expect(storage.removed).toEqual([]);
  });

  test("goes manifests first, and with it the records of older attempts", async () => {
    const storage = new RecordingStorage(memoryStorage());
    const clock = new ManualClock();
    const { lineage: old } = await acquire(storage);
    const first = await publish(old, 1);
    const { lineage } = await acquire(storage, 2);
    const second = await publish(lineage, 2);
    const leaf = segmentLeaf(1, NONCE, 1);
    await storage.put(NAMES.segments + leaf, Buffer.from("x"));
    const collector = new GarbageCollector({ storage, names: NAMES, lineage, clock, graceMs: 0 });
    await collector.collect({ ...NOTHING, manifests: new Set([second.leaf]) });
    const [manifest, segment, ...records] = storage.removed;
    expect([manifest, segment]).toEqual([NAMES.checkpoints + first.leaf, NAMES.segments + leaf]);
    expect(records.sort()).toEqual([NAMES.lineage(1), NAMES.owner(1), NAMES.mark(1)].sort());
    expect(await publishedIds(storage)).toEqual([2]);
  });

  test("stays when another owner has taken over", async () => {
    const { storage, clock, collector, put } = await place();
    await put(1, 1);
    await collector.collect(NOTHING);
    clock.advance(1000);
    await acquire(storage, 2);
    await expect(collector.collect(NOTHING)).rejects.toMatchObject({ code: "FENCED" });
    expect(storage.removed).toEqual([]);
  });
});
