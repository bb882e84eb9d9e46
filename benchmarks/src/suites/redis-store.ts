/**
 * What the store over Redis costs: the same work on the store and on a bare client of `ioredis`, with variadic `HSET`, `HMGET` and `HSCAN` on hashes of the
 * same key groups, against a server that is started for the trial and keeps nothing on disk.
 *
 * The store adds a checksum to every value and checks it, makes every write a script that looks before it writes, marks every key group twice for each
 * checkpoint, and sorts what it scans; the bare side does none of that. Entries of 16 + 100 bytes; 100,000 changed keys per checkpoint, uniform, in key order.
 */

import { type BinaryKey, type Change, KeyGroups, memoryStorage, type StoreEntry } from "@tidemark/core";
import { redis } from "@tidemark/redis";
import { Redis } from "ioredis";
import { cleanHeap } from "../harness/clean-heap.js";
import { keyAt, uniformPicks } from "../harness/keys.js";
import { startRedis } from "../harness/redis-server.js";
import { type Measured, measured } from "../harness/rows.js";
import type { Scale, Suite } from "../harness/suite.js";
import { takeTurns } from "../harness/take-turns.js";

const CHANGES = 100_000;
const READS = 1_000;
const ROWS = 1_000;
const VALUE_BYTES = 100;
const GROUPS = KeyGroups.all(128);
const SCOPE = { job: "bench", operator: "bench", maxParallelism: 128, groups: GROUPS };

interface Trial {
  readonly side: "store" | "bare";
  readonly entries: number;
}

/** Entries per second of each kind of work, and bytes of the server for each entry. */
interface Result {
  readonly load: number;
  readonly apply: number;
  readonly getMany: number;
  readonly scan: number;
  readonly bytes: number;
}

/** What both sides can do. */
interface Side {
  load(keys: readonly BinaryKey[], id: number): Promise<void>;
  apply(keys: readonly BinaryKey[], id: number): Promise<void>;
  getMany(keys: readonly BinaryKey[]): Promise<number>;
  scan(): Promise<number>;
  close(): Promise<void>;
}

export const redisStore: Suite<Trial, Result> = {
  name: "redis-store",
  backends: ["redis"],
  heapMiB: 1024,
  trials({ isQuick, repetitions }: Scale) {
    const entries = isQuick ? 100_000 : 500_000;
    return takeTurns(["bare", "store"] as const, repetitions, (side) => ({ side, entries }));
  },
  async run({ side, entries }) {
    const server = await startRedis({ config: ["--save", "", "--appendonly", "no"] });
    const client = new Redis(server.url);
    try {
      const worker = side === "store" ? await openStore(client) : openBare(client);
      const result = await measure(worker, entries, () => usedBytes(client));
      await worker.close();
      return result;
    } finally {
      client.disconnect();
      await server.stop();
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
      speed("load", 0.6),
      speed("apply", 0.6),
      speed("getMany", 0.6),
      speed("scan", 0.6),
      measured({
        metric: "memory of the server",
        unit: "bytes/entry",
        values: of("store", "bytes"),
        floors: of("bare", "bytes"),
        rule: { of: "ratio", is: "at most", bar: 1.3 },
      }),
    ];
  },
};

async function measure(side: Side, entries: number, used: () => Promise<number>): Promise<Result> {
  const keys = Array.from({ length: entries }, (_, index) => keyOf(index));
  const sorted = keys.toSorted();
  const before = await used();
  const load = await speedOf(entries, () => side.load(sorted, 1));
  const bytes = ((await used()) - before) / entries;

  const deltas = Array.from({ length: 5 }, (_, index) =>
    [...new Set(uniformPicks(Math.min(CHANGES, entries), entries, index + 1))]
      .map((pick) => keys[pick] as BinaryKey)
      .sort(),
  );
  const changes = deltas.reduce((sum, { length }) => sum + length, 0);
  const apply = await speedOf(changes, async () => {
    for (const [index, delta] of deltas.entries()) await side.apply(delta, 2 + index);
  });
  const reads = Array.from({ length: 100 }, (_, index) =>
    [...uniformPicks(READS, entries, 1000 + index)].map((pick) => keys[pick] as BinaryKey),
  );
  const getMany = await speedOf(reads.length * READS, async () => {
    for (const batch of reads) expectCount(await side.getMany(batch), READS);
  });
  const scan = await speedOf(entries, async () => expectCount(await side.scan(), entries));
  return { load, apply, getMany, scan, bytes };
}

async function speedOf(entries: number, work: () => Promise<void>): Promise<number> {
  cleanHeap();
  const started = performance.now();
  await work();
  return (entries * 1000) / (performance.now() - started);
}

async function openStore(client: Redis): Promise<Side> {
  const store = redis({ client, checkpoints: memoryStorage() }).store.create();
  await store.open(SCOPE, { epoch: 1, nonce: "0".repeat(32) });
  return {
    load: (keys, id) => store.load(GROUPS, rowsOf(keys, id), { checkpoint: id, tag: "" }),
    apply: (keys, id) => store.apply({ checkpoint: id, tag: "" }, changesOf(keys, id)),
    getMany: async (keys) => presentIn(await store.getMany(keys)),
    async scan() {
      let count = 0;
      for await (const chunk of store.scan({ start: "" as BinaryKey, end: "\xff" as BinaryKey })) count += chunk.length;
      return count;
    },
    close: () => store.close(),
  };
}

function openBare(client: Redis): Side {
  const hashOf = (key: BinaryKey): string => `bare:${key.charCodeAt(1)}`;
  const write = async (rows: AsyncIterable<readonly StoreEntry[]>): Promise<void> => {
    for await (const chunk of rows) {
      const writes: Promise<unknown>[] = [];
      for (const [hash, entries] of grouped(chunk, ({ key }) => hashOf(key))) {
        const args = entries.flatMap(({ key, value }) => [Buffer.from(key, "latin1"), value as Buffer]);
        writes.push(client.hset(hash, ...args));
      }
      await Promise.all(writes);
    }
  };
  return {
    load: (keys, id) => write(rowsOf(keys, id)),
    apply: (keys, id) => write(rowsOf(keys, id)),
    async getMany(keys) {
      const reads = [...grouped(keys, hashOf)].map(([hash, some]) =>
        client.hmgetBuffer(hash, ...some.map((key) => Buffer.from(key, "latin1"))),
      );
      return (await Promise.all(reads)).flat().filter((value) => value !== null).length;
    },
    async scan() {
      let count = 0;
      for (let group = 0; group < GROUPS.count; group++) {
        for (let cursor = "0"; ; ) {
          const [next, rows] = await client.hscanBuffer(`bare:${group}`, cursor, "COUNT", ROWS);
          count += rows.length / 2;
          cursor = next.toString();
          if (cursor === "0") break;
        }
      }
      return count;
    },
    close: async () => undefined,
  };
}

function grouped<T>(items: readonly T[], groupOf: (item: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groupOf(item);
    const list = groups.get(group);
    if (list === undefined) groups.set(group, [item]);
    else list.push(item);
  }
  return groups;
}

async function usedBytes(client: Redis): Promise<number> {
  const info = await client.info("memory");
  return Number(/used_memory_dataset:(\d+)/.exec(info)?.[1]);
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
