/**
 * What the store in PostgreSQL costs: the same work on the store and by bare `pg`, on a server of its own for each trial, with everything synced.
 *
 * The bare side loads by binary `COPY`, all in one transaction, where the store has one for 40,000 rows, so that it keeps no connection while it waits for them; applies a delta by binary `COPY` into a staging table without WAL, merged by one `INSERT … ON CONFLICT`; reads
 * by `= ANY`; scans by a cursor, 1,000 rows at a time, and takes values as buffers. The store, besides, checks a checksum of every value, asks who is
 * the owner, and keeps marks. Entries of 16 + 100 bytes; 20,000 changed keys per checkpoint, uniform, in key order.
 */

import { pipeline } from "node:stream/promises";
import { type BinaryKey, type Change, KeyGroups, type StoreEntry } from "@tidemark/core";
import { postgres } from "@tidemark/postgres";
import pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { startPostgres } from "../../../scripts/services/postgres.mjs";
import { cleanHeap } from "../harness/clean-heap.js";
import { keyAt, uniformPicks } from "../harness/keys.js";
import { type Measured, measured } from "../harness/rows.js";
import type { Scale, Suite } from "../harness/suite.js";
import { takeTurns } from "../harness/take-turns.js";

const CHANGES = 20_000;
const READS = 1_000;
const ROWS = 1_000;
const VALUE_BYTES = 100;
const GROUPS = KeyGroups.all(128);
const SCOPE = { job: "bench", operator: "bench", maxParallelism: 128, groups: GROUPS };

interface Trial {
  readonly side: "store" | "bare";
  readonly entries: number;
}

/** Entries per second of each kind of work, and milliseconds of an apply of one change. */
interface Result {
  readonly load: number;
  readonly apply: number;
  readonly getMany: number;
  readonly scan: number;
  readonly smallApplyMs: number;
}

interface Side {
  load(keys: readonly BinaryKey[], id: number): Promise<void>;
  apply(keys: readonly BinaryKey[], id: number): Promise<void>;
  getMany(keys: readonly BinaryKey[]): Promise<number>;
  scan(): Promise<number>;
  close(): Promise<void>;
}

export const postgresStore: Suite<Trial, Result> = {
  name: "postgres-store",
  backends: ["postgres"],
  heapMiB: 1024,
  trials({ isQuick, repetitions }: Scale) {
    const entries = isQuick ? 50_000 : 500_000;
    return takeTurns(["bare", "store"] as const, repetitions, (side) => ({ side, entries }));
  },
  async run({ side, entries }) {
    const server = await startPostgres();
    try {
      const worker = side === "store" ? await openStore(server.url) : await openBare(server.url);
      const result = await measure(worker, entries);
      await worker.close();
      return result;
    } finally {
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
      speed("load", 0.4),
      speed("apply", 0.8),
      speed("getMany", 0.7),
      speed("scan", 0.6),
      measured({
        metric: "apply of one change",
        unit: "ms",
        values: of("store", "smallApplyMs"),
        floors: of("bare", "smallApplyMs"),
      }),
    ];
  },
};

async function measure(side: Side, entries: number): Promise<Result> {
  const keys = Array.from({ length: entries }, (_, index) => keyOf(index));
  const sorted = keys.toSorted();
  const load = await speedOf(entries, () => side.load(sorted, 1));
  const deltas = Array.from({ length: 5 }, (_, index) =>
    [...new Set(uniformPicks(CHANGES, entries, index + 1))].map((pick) => keys[pick] as BinaryKey).sort(),
  );
  const changes = deltas.reduce((sum, { length }) => sum + length, 0);
  const apply = await speedOf(changes, async () => {
    for (const [index, delta] of deltas.entries()) await side.apply(delta, 2 + index);
  });
  const small = await speedOf(100, async () => {
    for (let id = 0; id < 100; id++) await side.apply(sorted.slice(id, id + 1), 100 + id);
  });
  const reads = Array.from({ length: 50 }, (_, index) =>
    [...uniformPicks(READS, entries, 1000 + index)].map((pick) => keys[pick] as BinaryKey),
  );
  const getMany = await speedOf(reads.length * READS, async () => {
    for (const batch of reads) expectCount(await side.getMany(batch), new Set(batch).size);
  });
  const scan = await speedOf(entries, async () => expectCount(await side.scan(), entries));
  return { load, apply, getMany, scan, smallApplyMs: 1000 / small };
}

async function speedOf(entries: number, work: () => Promise<void>): Promise<number> {
  cleanHeap();
  const started = performance.now();
  await work();
  return (entries * 1000) / (performance.now() - started);
}

async function openStore(url: string): Promise<Side> {
  const store = postgres({ url }).store.create();
  await store.open(SCOPE, { epoch: 1, nonce: "0".repeat(32) });
  return {
    load: (keys, id) => store.load(GROUPS, rowsOf(keys, id), { checkpoint: id, tag: "" }),
    apply: (keys, id) => store.apply({ checkpoint: id, tag: "" }, changesOf(keys, id)),
    async getMany(keys) {
      const values = await store.getMany(keys);
      return new Set(keys.filter((_, index) => values[index] !== undefined)).size;
    },
    async scan() {
      let count = 0;
      for await (const chunk of store.scan({ start: "" as BinaryKey, end: "\xff" as BinaryKey })) count += chunk.length;
      return count;
    },
    close: () => store.close(),
  };
}

async function openBare(url: string): Promise<Side> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("CREATE TABLE entry (key bytea PRIMARY KEY, value bytea NOT NULL)");
  await client.query("CREATE UNLOGGED TABLE stage (key bytea NOT NULL, value bytea NOT NULL)");
  const copy = async (table: string, keys: readonly BinaryKey[], id: number): Promise<void> => {
    await pipeline(copyRows(keys, id), client.query(copyFrom(`COPY ${table} FROM STDIN BINARY`)));
  };
  return {
    load: (keys, id) => copy("entry", keys, id),
    async apply(keys, id) {
      await client.query("BEGIN");
      await copy("stage", keys, id);
      await client.query(
        "INSERT INTO entry SELECT key, value FROM stage ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
      );
      await client.query("TRUNCATE stage");
      await client.query("COMMIT");
    },
    async getMany(keys) {
      const asked = keys.map((key) => Buffer.from(key, "latin1"));
      const { rows } = await client.query<{ key: Buffer; value: Buffer }>(
        "SELECT key, value FROM entry WHERE key = ANY ($1)",
        [asked],
      );
      return rows.length;
    },
    async scan() {
      await client.query("BEGIN");
      await client.query("DECLARE entries CURSOR FOR SELECT key, value FROM entry ORDER BY key");
      let count = 0;
      while (true) {
        const { rows } = await client.query<{ key: Buffer; value: Buffer }>(`FETCH ${ROWS} FROM entries`);
        if (rows.length === 0) break;
        count += rows.length;
      }
      await client.query("COMMIT");
      return count;
    },
    close: () => client.end(),
  };
}

/** Rows in the format of a binary COPY. */
async function* copyRows(keys: readonly BinaryKey[], id: number): AsyncGenerator<Buffer> {
  yield Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
  for await (const rows of rowsOf(keys, id)) {
    const out = Buffer.allocUnsafe(rows.reduce((sum, { key, value }) => sum + 10 + key.length + value.length, 0));
    let at = 0;
    for (const { key, value } of rows) {
      at = out.writeInt16BE(2, at);
      at = out.writeInt32BE(key.length, at);
      at += out.write(key, at, "latin1");
      at = out.writeInt32BE(value.length, at);
      out.set(value, at);
      at += value.length;
    }
    yield out;
  }
  yield Buffer.from([0xff, 0xff]);
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

function expectCount(found: number, expected: number): void {
  if (found !== expected) throw new Error(`Entries are missing. found=${found} expected=${expected}`);
}
