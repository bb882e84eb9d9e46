/** Whole jobs whose working state is in LevelDB: what they read of their checkpoints when they are opened again. */

import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ByteRange,
  type CheckpointStorage,
  defineOperator,
  list,
  map,
  memoryStorage,
  openJob,
  openTask,
  string,
  value,
} from "@tidemark/core";
import { Level } from "level";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lsm, type LsmDatabaseOptions } from "../src/index.js";

const OPERATOR = defineOperator("visits", {
  key: string(),
  states: { count: value<number>({ default: 0 }), seen: list<string>(), pages: map<string, number>() },
});
const KEYS = Array.from({ length: 300 }, (_, index) => `key ${index}`);

let place: string;
/** Segments that were read of the checkpoints. */
let segmentsRead: number;
let checkpoints: CheckpointStorage;
/** Why stores were rebuilt. */
let reasons: string[];

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "tidemark-lsm-"));
  checkpoints = counting(memoryStorage());
  reasons = [];
});

afterEach(async () => {
  await rm(place, { recursive: true });
});

function counting(storage: CheckpointStorage): CheckpointStorage {
  return {
    put: (name, body, options) => storage.put(name, body, options),
    get(name: string, range?: ByteRange) {
      if (name.includes("/segment/")) segmentsRead += 1;
      return storage.get(name, range);
    },
    list: (prefix) => storage.list(prefix),
    remove: (names) => storage.remove(names),
    close: () => storage.close(),
  };
}

async function open(directory: string, retain = 3) {
  segmentsRead = 0;
  return openTask(OPERATOR, {
    job: "visits",
    backend: lsm({ directory, checkpoints, preset: "low-memory", onRebuild: (reason) => reasons.push(reason) }),
    retain,
  });
}

type Opened = Awaited<ReturnType<typeof open>>;

function visit(task: Opened, round: number): void {
  for (const [index, key] of KEYS.entries()) {
    if (index % 3 === round % 3) continue;
    task.count.set(key, round * 1000 + index);
    task.seen.add(key, `round ${round}`);
    task.pages.set(key, `page ${round % 4}`, round);
  }
}

async function everything(task: Opened): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const key of KEYS) {
    const pages: unknown[] = [];
    for await (const page of task.pages.entries(key)) pages.push(page);
    all.push([await task.count.get(key), await task.seen.get(key), pages]);
  }
  return all;
}

/** Runs `rounds` in a directory, each with a checkpoint; what is there then. */
async function run(directory: string, rounds: readonly number[]): Promise<unknown[]> {
  const task = await open(directory);
  for (const round of rounds) {
    visit(task, round);
    await task.checkpoint();
  }
  const all = await everything(task);
  await task.close();
  return all;
}

describe("a job that is opened again on the same disk", () => {
  it("S1, S5 reads no segment if its store is at the checkpoint", async () => {
    const before = await run(join(place, "a"), [1, 2, 3]);
    const task = await open(join(place, "a"));
    expect(segmentsRead).toBe(0);
    expect(await everything(task)).toEqual(before);
    expect(task.count.getSync("key 1")).toBe(3001);
    await task.close();
  });

  it("S6 rolls a store forward that lags behind", async () => {
    await run(join(place, "a"), [1, 2]);
    await cp(join(place, "a"), join(place, "lagging"), { recursive: true });
    const before = await run(join(place, "a"), [3, 4]);
    const task = await open(join(place, "lagging"));
    expect(segmentsRead).toBeGreaterThan(0);
    expect(await everything(task)).toEqual(before);
    await task.close();
  });

  it("S7 rebuilds a store on another disk, and one that was removed", async () => {
    const before = await run(join(place, "a"), [1, 2, 3]);
    for (const directory of [join(place, "b"), join(place, "a")]) {
      rmSync(directory, { recursive: true, force: true });
      const task = await open(directory);
      expect(segmentsRead).toBeGreaterThan(0);
      expect(await everything(task)).toEqual(before);
      await task.close();
    }
  });

  it("S1 rebuilds a store that was damaged", async () => {
    const before = await run(join(place, "a"), [1, 2, 3]);
    const logs = readdirSync(place, { recursive: true, encoding: "utf8" }).filter((name) =>
      /data.[^/\\]*\.log$/.test(name),
    );
    expect(logs).toHaveLength(1);
    const log = join(place, logs[0] as string);
    const bytes = readFileSync(log);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
    writeFileSync(log, bytes);
    expect(reasons).toEqual([]);
    const task = await open(join(place, "a"));
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toMatch(/directory=".*data" file=\d+\.log: a log record/);
    expect(segmentsRead).toBeGreaterThan(0);
    expect(await everything(task)).toEqual(before);
    await task.close();
  });

  it("S7 goes back to an earlier checkpoint", async () => {
    const early = await run(join(place, "a"), [1, 2]);
    await run(join(place, "a"), [3]);
    const task = await openTask(OPERATOR, {
      job: "visits",
      backend: lsm({ directory: join(place, "a"), checkpoints }),
      restore: 2,
      retain: 3,
    });
    expect(await everything(task)).toEqual(early);
    await task.close();
  });

  it("S2 is refused while another task has the store, before that is fenced", async () => {
    const first = await open(join(place, "a"));
    visit(first, 1);
    await expect(open(join(place, "a"))).rejects.toThrow(/open already/);
    await first.checkpoint();
    expect(first.count.getSync("key 1")).toBe(0);
    await first.close();
  });
});

it("T30 the memory of the backend, dealt out to its tasks, bounds what is in no checkpoint", async () => {
  const limits: unknown[] = [];
  const onMemory = (message: unknown): void => void limits.push((message as { limitBytes: number }).limitBytes);
  subscribe("tidemark:memory", onMemory);
  const backend = lsm({ directory: join(place, "a"), memory: "64mb" });
  const tasks = [{ operator: OPERATOR, parallelism: 2 }] as const;
  for (const settings of [{}, { memoryBytes: undefined }, { memoryBytes: 1_000_000 }]) {
    const job = await openJob({ job: "visits", backend, tasks, ...(settings as { memoryBytes?: number }) });
    await job.checkpoint();
    await job.close();
  }
  unsubscribe("tidemark:memory", onMemory);
  expect([...new Set(limits)]).toEqual([64 * 1024 * 1024, 1_000_000]);
});

it("S9 works in a database of the user's, and leaves it open", async () => {
  const database = new Level<string, string>(join(place, "level"));
  await database.put("mine", "stays");
  const options: LsmDatabaseOptions = { database, checkpoints };
  for (let round = 1; round <= 2; round++) {
    segmentsRead = 0;
    const task = await openTask(OPERATOR, { job: "visits", backend: lsm(options) });
    expect(segmentsRead).toBe(0);
    expect(task.count.getSync("key 0")).toBe(round === 1 ? 0 : 1000);
    visit(task, round);
    await task.checkpoint();
    await task.close();
  }
  expect(await database.get("mine")).toBe("stays");
  await database.close();
});
