/**
 * Working state in Redis against what one would write by hand: 1,000,000 keys of 16 bytes with values of 100; an operation reads a value, counts it up and writes
 * it.
 *
 * - `changed`: with 1,000 records in flight and incremental checkpoints every 250,000 operations, which the clock includes, against a loop of one `HMGET` and one `HSET` for 1,000
 *   operations. The loop has no recovery: what it has done when it is killed nobody knows.
 * - `changed, against one by one`: against a `GET` and a `SET` for each operation.
 * - `at 1 ms`: the same where each answer takes a millisecond longer, through a proxy in the process of the trial.
 * - `listed`: `keys()` to the end, which comes in order, against `HSCAN` of one hash.
 *
 * How: one trial fills a server for all sides and saves it; all others start a server of their own on a copy, in a process of their own, and the sides take turns.
 */

import { cp } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { cleanHeap } from "../harness/clean-heap.js";
import { keysUpTo } from "../harness/keys.js";
import { startRedis } from "../harness/redis-server.js";
import { measured, type Measured } from "../harness/rows.js";
import { openSlowWay } from "../harness/slow-way.js";
import type { Places, Scale, Suite } from "../harness/suite.js";
import { takeTurns } from "../harness/take-turns.js";
import { type Sizes, workOf } from "./lsm-work.js";
import * as sides from "./redis-state.js";

const SIDES = ["state", "batched", "one by one", "state listed", "bare listed"] as const;
const FAR_SIDES = ["state far", "batched far", "one by one far"] as const;
const FAR_MS = 1;

type Side = "fill" | (typeof SIDES)[number] | (typeof FAR_SIDES)[number];

interface Trial extends Sizes {
  readonly side: Side;
  readonly repetition: number;
}

const FULL: Sizes = { keyCount: 1_000_000, operations: 1_000_000, checkpointEvery: 250_000 };
const QUICK: Sizes = { keyCount: 100_000, operations: 100_000, checkpointEvery: 25_000 };

/** Operations, or entries, per second. */
export const redisState: Suite<Trial, number> = {
  name: "redis",
  backends: ["redis"],
  heapMiB: 2048,
  trials({ isQuick, repetitions }: Scale) {
    const sizes = isQuick ? QUICK : FULL;
    const trialOf = (side: Side, repetition: number): Trial => ({ ...sizes, side, repetition });
    return [trialOf("fill", 0), ...takeTurns<Side, Trial>([...SIDES, ...FAR_SIDES], repetitions, trialOf)];
  },
  run: (trial, _backend, places) => (trial.side === "fill" ? fill(trial, places) : measure(trial, places)),
  rows(trials) {
    const row = (metric: string, [side, floor]: readonly [Side, Side], bar?: number): Measured => {
      const of = (name: Side): number[] =>
        trials.filter(({ trial }) => trial.side === name).map(({ result }) => result);
      const unit = side === "state listed" ? "entries/s" : "ops/s";
      const rule = bar === undefined ? {} : { rule: { of: "ratio", is: "at least", bar } as const };
      return measured({ metric, unit, values: of(side), floors: of(floor), ...rule });
    };
    return [
      row("changed", ["state", "batched"], 0.6),
      row("changed, against one by one", ["state", "one by one"], 12),
      row("changed at 1 ms, against one by one", ["state far", "one by one far"], 50),
      row("changed at 1 ms", ["state far", "batched far"]),
      row("listed", ["state listed", "bare listed"], 0.6),
    ];
  },
};

const config = ["--save", "", "--appendonly", "no"];

async function fill({ keyCount }: Trial, { shared }: Places): Promise<number> {
  const started = performance.now();
  const keys = keysUpTo(keyCount);
  const server = await startRedis({ config });
  const client = new Redis(server.url);
  try {
    await sides.fillBare(client, keys);
    const task = await sides.openState(server.url, join(shared, "checkpoints"));
    await sides.fillState(task, keys);
    await task.close();
    await client.save();
    await cp(join(server.directory, "dump.rdb"), join(shared, "dump.rdb"));
  } finally {
    client.disconnect();
    await server.stop();
  }
  return (keyCount * 1000) / (performance.now() - started);
}

async function measure(trial: Trial, { own, shared }: Places): Promise<number> {
  await cp(shared, own, { recursive: true });
  const server = await startRedis({ config, directory: own });
  const way = trial.side.endsWith("far") ? await openSlowWay(server.port, FAR_MS) : undefined;
  const url = `redis://127.0.0.1:${way?.port ?? server.port}`;
  try {
    if (trial.side.startsWith("state")) return await measureState(trial, url, join(own, "checkpoints"));
    const client = new Redis(url);
    try {
      return await measureBare(trial, client);
    } finally {
      client.disconnect();
    }
  } finally {
    await way?.close();
    await server.stop();
  }
}

async function measureState(trial: Trial, url: string, checkpoints: string): Promise<number> {
  const task = await sides.openState(url, checkpoints);
  try {
    if (trial.side === "state listed") return await listed(trial, () => sides.listState(task));
    const work = workOf(sizesOf(trial), "uniform", trial.repetition);
    cleanHeap();
    const ms = await sides.changeState(task, work, trial.checkpointEvery);
    await sides.checkResult(work, sides.readState(task));
    return (work.picks.length * 1000) / ms;
  } finally {
    await task.close();
  }
}

async function measureBare(trial: Trial, client: Redis): Promise<number> {
  if (trial.side === "bare listed") return listed(trial, () => sides.listBare(client));
  const work = workOf(sizesOf(trial), "uniform", trial.repetition);
  cleanHeap();
  const isBatched = trial.side.startsWith("batched");
  const ms = await (isBatched ? sides.changeBatched(client, work) : sides.changeOneByOne(client, work));
  await sides.checkResult(work, isBatched ? sides.readBatched(client) : sides.readOneByOne(client));
  return (work.picks.length * 1000) / ms;
}

async function listed({ keyCount }: Trial, list: () => Promise<number>): Promise<number> {
  cleanHeap();
  const started = performance.now();
  const count = await list();
  const ms = performance.now() - started;
  // `HSCAN` may give an entry twice.
  if (count < keyCount) throw new Error(`Keys are missing. found=${count} expected=${keyCount}`);
  return (keyCount * 1000) / ms;
}

/** What is slow is done less often. */
function sizesOf(trial: Trial): Sizes {
  const { side, operations } = trial;
  if (side === "one by one") return { ...trial, operations: operations / 20 };
  if (side === "one by one far") return { ...trial, operations: operations / 500 };
  return trial;
}
