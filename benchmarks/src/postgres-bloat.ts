/**
 * Whether the tables stay bounded under a steady load of updates: `node benchmarks/dist/postgres-bloat.js [minutes]`, 10 by default.
 *
 * A job has 200,000 keys of 16 bytes with values of 100, and changes 20,000 of them, uniform, between one incremental checkpoint and the next, with no pause, and with checkpoints in
 * the same database. Sizes are the server's, of each table with its indexes and TOAST. The server has its default settings. At the end the largest size of the last third is compared with
 * the largest of the second third: what grows without bound is larger in the last.
 */

import { setTimeout } from "node:timers/promises";
import { startPostgres } from "../../scripts/services/postgres.mjs";
import { keysUpTo, uniformPicks } from "./harness/keys.js";
import { valueWith } from "./suites/lsm-work.js";
import { fillState, openState, type TextTask, withClient } from "./suites/postgres-state.js";

const KEYS = 200_000;
const CHANGES = 20_000;
const SAMPLE_MS = 15_000;
const TABLES = ["entry", "chunk", "object", "owner", "applied"] as const;
const MIB = 1024 * 1024;
/** The last third may be so much larger than the one before. */
const GROWTH_MAX = 1.15;

interface Sample {
  readonly atMs: number;
  readonly bytes: readonly number[];
}

const minutes = Number(process.argv[2] ?? 10);
const started = performance.now();
const elapsedMs = (): number => performance.now() - started;
const isOver = (): boolean => elapsedMs() > minutes * 60_000;

async function update(task: TextTask): Promise<number> {
  const keys = keysUpTo(KEYS);
  let rounds = 0;
  while (!isOver()) {
    rounds++;
    const value = valueWith(rounds);
    for (const pick of uniformPicks(CHANGES, KEYS, rounds)) task.text.set(keys[pick] as string, value);
    await task.checkpoint();
  }
  return rounds;
}

async function sizes(url: string): Promise<Sample> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ bytes: string }>(
      `SELECT pg_total_relation_size(('tidemark.tidemark_' || name)::regclass) AS bytes
       FROM unnest($1::text[]) WITH ORDINALITY AS asked (name, at) ORDER BY at`,
      [TABLES],
    ),
  );
  return { atMs: elapsedMs(), bytes: rows.map(({ bytes }) => Number(bytes)) };
}

async function sample(url: string): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  while (!isOver()) {
    await setTimeout(SAMPLE_MS, undefined);
    const found = await sizes(url);
    samples.push(found);
    const shown = TABLES.map((name, i) => `${name} ${((found.bytes[i] ?? 0) / MIB).toFixed(1)}`);
    console.log(`${(found.atMs / 60_000).toFixed(1)} min, MiB: ${shown.join(", ")}`);
  }
  return samples;
}

function largest(samples: readonly Sample[], [from, to]: readonly [number, number]): number {
  const some = samples.filter(
    ({ atMs }) => atMs >= from * minutes * 60_000 && atMs <= to * minutes * 60_000 + SAMPLE_MS,
  );
  return Math.max(...some.map(({ bytes }) => bytes.reduce((sum, each) => sum + each, 0)));
}

const server = await startPostgres();
try {
  const task = await openState(server.url);
  await fillState(task, keysUpTo(KEYS));
  const [rounds, samples] = await Promise.all([update(task), sample(server.url)]);
  await task.close();
  const [before, after] = [largest(samples, [1 / 3, 2 / 3]), largest(samples, [2 / 3, 1])];
  const updates = await withClient(server.url, (client) =>
    client.query<{ hot: string; dead: string }>(
      `SELECT round(100.0 * n_tup_hot_upd / greatest(n_tup_upd, 1)) AS hot, n_dead_tup AS dead FROM pg_stat_user_tables
       WHERE relname = 'tidemark_entry'`,
    ),
  );
  const { hot, dead } = updates.rows[0] ?? { hot: "?", dead: "?" };
  console.log(
    `${rounds} checkpoints of ${CHANGES} changes; ${hot} % of the updates in place (HOT), ${dead} dead rows left`,
  );
  console.log(`largest, MiB: second third ${(before / MIB).toFixed(1)}, last third ${(after / MIB).toFixed(1)}`);
  const isBounded = after <= before * GROWTH_MAX;
  console.log(isBounded ? "bounded" : "NOT BOUNDED");
  process.exitCode = isBounded ? 0 : 1;
} finally {
  await server.stop();
}
