/**
 * What the store over LevelDB costs: the same work on the store and on a bare `ClassicLevel` with the same settings, in chained batches, `getMany`,
 * `getSync` and `nextv`.
 *
 * The store adds a checksum to every value and checks it, puts a byte before each key, carries keys as text, and syncs twice for each
 * checkpoint; the bare side syncs once. Both take the same rows from the same generator. Entries of 16 + 100 bytes; 20,000 changed keys per checkpoint, uniform, in key order.
 */

import { type BinaryKey, type Change, KeyGroups, type Store, type StoreEntry } from "@tidemark/core";
import { lsm } from "@tidemark/lsm";
import { ClassicLevel } from "classic-level";
import { cleanHeap } from "../harness/clean-heap.js";
import { keyAt, uniformPicks } from "../harness/keys.js";
import { loopDelayDuring } from "../harness/loop-delay.js";
import { type Measured, measured } from "../harness/rows.js";
import type { Places, Scale, Suite } from "../harness/suite.js";
import { takeTurns } from "../harness/take-turns.js";

const MIB = 1024 * 1024;
const SETTINGS = { writeBufferSize: 8 * MIB, blockCacheSize: 48 * MIB, blockSize: 4096, targetFileSizeBase: 8 * MIB };
const CHANGES = 20_000;
const READS = 1_000;
const ROWS = 1_000;
const VALUE_BYTES = 100;
const BYTES = { keyEncoding: "buffer", valueEncoding: "buffer" } as const;
/** Of the bare side, above all keys. */
const MARK = Buffer.from("m");
const GROUPS = KeyGroups.all(128);
const SCOPE = { job: "bench", operator: "bench", maxParallelism: 128, groups: GROUPS };

interface Trial {
  readonly side: "store" | "bare";
  readonly entries: number;
}

/** Entries per second of each kind of work, and the longest that an apply held the event loop, in milliseconds. */
interface Result {
  readonly load: number;
  readonly apply: number;
  readonly getMany: number;
  readonly getSync: number;
  readonly scan: number;
  readonly longestMs: number;
}

/** What both sides can do; keys are the ones that they are stored under. */
interface Side {
  load(keys: readonly BinaryKey[], id: number): Promise<void>;
  apply(keys: readonly BinaryKey[], id: number): Promise<void>;
  getMany(keys: readonly BinaryKey[]): Promise<number>;
  getSync(keys: readonly BinaryKey[]): number;
  scan(): Promise<number>;
  close(): Promise<void>;
}

export const lsmStore: Suite<Trial, Result> = {
  name: "lsm-store",
  backends: ["lsm"],
  heapMiB: 1024,
  trials({ isQuick, repetitions }: Scale) {
    const entries = isQuick ? 100_000 : 1_000_000;
    return takeTurns(["bare", "store"] as const, repetitions, (side) => ({ side, entries }));
  },
  async run({ side, entries }, _backend, { own }: Places) {
    const worker = side === "store" ? await openStore(own) : await openBare(own);
    try {
      return await measure(worker, entries);
    } finally {
      await worker.close();
    }
  },
  rows: (trials) => {
    const of = (side: Trial["side"], work: keyof Result): number[] =>
      trials.filter(({ trial }) => trial.side === side).map(({ result }) => result[work]);
    const speed = (work: keyof Result, bar: number): Measured =>
      measured({
        metric: work,
        unit: "entries/s",
        values: of("store", work),
        floors: of("bare", work),
        rule: { of: "ratio", is: "at least", bar },
      });
    return [
      speed("load", 0.9),
      speed("apply", 0.9),
      speed("getMany", 0.7),
      speed("getSync", 0.7),
      speed("scan", 0.7),
      measured({
        metric: "apply, longest hold of the loop",
        unit: "ms",
        values: of("store", "longestMs"),
        floors: of("bare", "longestMs"),
      }),
    ];
  },
};

async function measure(side: Side, entries: number): Promise<Result> {
  const keys = Array.from({ length: entries }, (_, index) => keyOf(index));
  const sorted = keys.toSorted();
  const load = await speedOf(entries, () => side.load(sorted, 1));

  const deltas = Array.from({ length: Math.max(3, entries / 100_000) }, (_, index) =>
    [...new Set(uniformPicks(CHANGES, entries, index + 1))].map((pick) => keys[pick] as BinaryKey).sort(),
  );
  const changes = deltas.reduce((sum, { length }) => sum + length, 0);
  const applyFrom = async (firstId: number): Promise<void> => {
    for (const [index, delta] of deltas.entries()) await side.apply(delta, firstId + index);
  };
  const apply = await speedOf(changes, () => applyFrom(2));
  const { turnMax: longestMs } = await loopDelayDuring(() => applyFrom(1_000));

  const reads = Array.from({ length: 100 }, (_, index) =>
    [...uniformPicks(READS, entries, 1000 + index)].map((pick) => keys[pick] as BinaryKey),
  );
  const getMany = await speedOf(reads.length * READS, async () => {
    for (const batch of reads) expectCount(await side.getMany(batch), READS);
  });
  const getSync = await speedOf(reads.length * READS, async () => {
    for (const batch of reads) expectCount(side.getSync(batch), READS);
  });
  const scan = await speedOf(entries, async () => expectCount(await side.scan(), entries));
  return { load, apply, getMany, getSync, scan, longestMs };
}

async function speedOf(entries: number, work: () => Promise<void>): Promise<number> {
  cleanHeap();
  const started = performance.now();
  await work();
  return (entries * 1000) / (performance.now() - started);
}

async function openStore(directory: string): Promise<Side> {
  const store: Store = lsm({ directory, memory: "256mb", ...SETTINGS }).store.create();
  await store.open(SCOPE, { epoch: 1, nonce: "0".repeat(32) });
  return {
    load: (keys, id) => store.load(GROUPS, rowsOf(keys, id), { checkpoint: id, tag: "" }),
    apply: (keys, id) => store.apply({ checkpoint: id, tag: "" }, changesOf(keys, id)),
    getMany: async (keys) => presentIn(await store.getMany(keys)),
    getSync: (keys) => presentIn(store.getManySync?.(keys) ?? []),
    async scan() {
      let count = 0;
      for await (const chunk of store.scan({ start: "" as BinaryKey, end: "\xff" as BinaryKey })) count += chunk.length;
      return count;
    },
    close: () => store.close(),
  };
}

async function openBare(directory: string): Promise<Side> {
  const { writeBufferSize, blockCacheSize: cacheSize, blockSize, targetFileSizeBase: maxFileSize } = SETTINGS;
  const options = { writeBufferSize, cacheSize, blockSize, maxFileSize, ...BYTES };
  const database = new ClassicLevel<Buffer, Buffer>(directory, options);
  await database.open();
  const write = async (rows: AsyncIterable<readonly StoreEntry[]>): Promise<void> => {
    for await (const chunk of rows) {
      const batch = database.batch();
      for (const { key, value } of chunk) batch.put(Buffer.from(key, "latin1"), value as Buffer);
      await batch.write();
    }
    await database.put(MARK, MARK, { sync: true });
  };
  return {
    load: (keys, id) => write(rowsOf(keys, id)),
    apply: (keys, id) => write(rowsOf(keys, id)),
    getMany: async (keys) => presentIn(await database.getMany(keys.map((key) => Buffer.from(key, "latin1")))),
    getSync: (keys) => presentIn(keys.map((key) => database.getSync(Buffer.from(key, "latin1")))),
    async scan() {
      const iterator = database.iterator({ lt: MARK, highWaterMarkBytes: MIB });
      let count = 0;
      for (let rows = await iterator.nextv(ROWS); rows.length > 0; rows = await iterator.nextv(ROWS)) {
        count += rows.length;
      }
      await iterator.close();
      return count;
    },
    close: () => database.close(),
  };
}

function keyOf(index: number): BinaryKey {
  return (String.fromCharCode(0, index % 128) + keyAt(index)) as BinaryKey;
}

const VALUES = Buffer.from(Array.from({ length: 64 * 1024 }, (_, index) => Math.imul(index, 0x9e37_79b1) >>> 24));

function valueOf(id: number): Buffer {
  const at = (id * 7_919) % (VALUES.length - VALUE_BYTES);
  return VALUES.subarray(at, at + VALUE_BYTES);
}

async function* rowsOf(keys: readonly BinaryKey[], id: number): AsyncGenerator<readonly StoreEntry[]> {
  for (let first = 0; first < keys.length; first += ROWS) {
    yield keys.slice(first, first + ROWS).map((key) => ({ key, value: valueOf(id) }));
  }
}

function changesOf(keys: readonly BinaryKey[], id: number): AsyncIterable<readonly Change[]> {
  return {
    async *[Symbol.asyncIterator]() {
      for await (const rows of rowsOf(keys, id)) yield rows.map((row) => ({ kind: "put" as const, ...row }));
    },
  };
}

function presentIn(values: readonly unknown[]): number {
  return values.reduce<number>((count, value) => (value === undefined ? count : count + 1), 0);
}

function expectCount(found: number, expected: number): void {
  if (found !== expected) throw new Error(`Entries are missing. found=${found} expected=${expected}`);
}
