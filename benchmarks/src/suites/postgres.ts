/**
 * Working state in PostgreSQL against what one would write by hand: 1,000,000 keys of 16 bytes with values of 100; an operation reads a value, counts it up and
 * writes it. Everything is synced, on all sides.
 *
 * - `changed`: with 1,000 records in flight and incremental checkpoints every 250,000 operations, in the same database, which the clock includes, against a loop of one `= ANY` and one
 *   `unnest … ON CONFLICT` for 1,000 operations. The loop has no recovery: what it has done when it is killed nobody knows.
 * - `changed, against one by one`: against a row that is read and a row that is written for each operation.
 * - `at 1 ms`: the same where each answer takes a millisecond longer, through a proxy in the process of the trial.
 *
 * How: one trial fills a server for all sides; all others start a server of their own on a copy of its data, in a process of their own, and the sides take turns.
 */

import { cp } from "node:fs/promises";
import { join } from "node:path";
import { startPostgres } from "../../../scripts/services/postgres.mjs";
import { cleanHeap } from "../harness/clean-heap.js";
import { keysUpTo } from "../harness/keys.js";
import { measured, type Measured } from "../harness/rows.js";
import { openSlowWay } from "../harness/slow-way.js";
import type { Places, Scale, Suite } from "../harness/suite.js";
import { takeTurns } from "../harness/take-turns.js";
import { type Sizes, workOf } from "./lsm-work.js";
import * as sides from "./postgres-state.js";

const SIDES = ["state", "batched", "one by one", "state far", "batched far", "one by one far"] as const;
const FAR_MS = 1;

type Side = "fill" | (typeof SIDES)[number];

interface Trial extends Sizes {
  readonly side: Side;
  readonly repetition: number;
}

const FULL: Sizes = { keyCount: 1_000_000, operations: 1_000_000, checkpointEvery: 250_000 };
const QUICK: Sizes = { keyCount: 100_000, operations: 100_000, checkpointEvery: 25_000 };

/** Operations per second. */
export const postgresState: Suite<Trial, number> = {
  name: "postgres",
  backends: ["postgres"],
  heapMiB: 2048,
  trials({ isQuick, repetitions }: Scale) {
    const sizes = isQuick ? QUICK : FULL;
    const trialOf = (side: Side, repetition: number): Trial => ({ ...sizes, side, repetition });
    return [trialOf("fill", 0), ...takeTurns<Side, Trial>([...SIDES], repetitions, trialOf)];
  },
  run: (trial, _backend, places) => (trial.side === "fill" ? fill(trial, places) : measure(trial, places)),
  rows(trials) {
    const row = (metric: string, [side, floor]: readonly [Side, Side], bar?: number): Measured => {
      const of = (name: Side): number[] =>
        trials.filter(({ trial }) => trial.side === name).map(({ result }) => result);
      const rule = bar === undefined ? {} : { rule: { of: "ratio", is: "at least", bar } as const };
      return measured({ metric, unit: "ops/s", values: of(side), floors: of(floor), ...rule });
    };
    return [
      row("changed", ["state", "batched"], 0.9),
      row("changed, against one by one", ["state", "one by one"], 12),
      row("changed at 1 ms, against one by one", ["state far", "one by one far"], 50),
      row("changed at 1 ms", ["state far", "batched far"]),
    ];
  },
};

async function fill({ keyCount }: Trial, { shared }: Places): Promise<number> {
  const started = performance.now();
  const keys = keysUpTo(keyCount);
  const server = await startPostgres();
  try {
    await sides.withClient(server.url, (client) => sides.fillBare(client, keys));
    const task = await sides.openState(server.url);
    await sides.fillState(task, keys);
    await task.close();
    await sides.withClient(server.url, (client) => client.query("VACUUM ANALYZE"));
    await server.halt();
    await cp(server.data, join(shared, "data"), { recursive: true });
  } finally {
    await server.stop();
  }
  return (keyCount * 1000) / (performance.now() - started);
}

async function measure(trial: Trial, { shared }: Places): Promise<number> {
  const server = await startPostgres({ copyOf: join(shared, "data") });
  const way = trial.side.endsWith("far") ? await openSlowWay(server.port, FAR_MS) : undefined;
  const url = way === undefined ? server.url : server.url.replace(`:${server.port}/`, `:${way.port}/`);
  const work = workOf(sizesOf(trial), "uniform", trial.repetition);
  try {
    const ms = await (trial.side.startsWith("state") ? changeState(trial, url, work) : changeBare(trial, url, work));
    return (work.picks.length * 1000) / ms;
  } finally {
    await way?.close();
    await server.stop();
  }
}

type Work = ReturnType<typeof workOf>;

async function changeState({ checkpointEvery }: Trial, url: string, work: Work): Promise<number> {
  const task = await sides.openState(url);
  try {
    cleanHeap();
    const ms = await sides.changeState(task, work, checkpointEvery);
    await sides.checkResult(work, sides.readState(task));
    return ms;
  } finally {
    await task.close();
  }
}

function changeBare({ side }: Trial, url: string, work: Work): Promise<number> {
  return sides.withClient(url, async (client) => {
    cleanHeap();
    const isBatched = side.startsWith("batched");
    const ms = await (isBatched ? sides.changeBatched(client, work) : sides.changeOneByOne(client, work));
    await sides.checkResult(work, sides.readBare(client));
    return ms;
  });
}

/** What is slow is done less often. */
function sizesOf(trial: Trial): Sizes {
  const { side, operations } = trial;
  if (side === "one by one") return { ...trial, operations: operations / 50 };
  if (side === "one by one far") return { ...trial, operations: operations / 500 };
  return trial;
}
