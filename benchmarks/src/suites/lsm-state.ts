/** The sides of `lsm` that keep state in Tidemark. */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { defineOperator, openTask, string, value } from "@tidemark/core";
import { lsm } from "@tidemark/lsm";
import { cleanHeap } from "../harness/clean-heap.js";
import { keyAt } from "../harness/keys.js";
import { BATCH, checkCounts, countIn, valueWith, type Work } from "./lsm-work.js";

const JOB = "bench";
/** For so long a loop keeps the event loop to itself. */
const TURN_MS = 3;
/** So many operations are done between two looks at the clock. */
const BURST = 100;

const texts = defineOperator("texts", { key: string(), states: { text: value<string>() } });

export interface StatePlace {
  readonly directory: string;
  readonly budgetBytes: number;
  /** Bytes of changes at which a checkpoint is due; what the backend says if not given. */
  readonly memoryBytes?: number;
}

export type TextTask = Awaited<ReturnType<typeof openState>>;

export function openState({ directory, budgetBytes, memoryBytes }: StatePlace) {
  const limit = memoryBytes === undefined ? {} : { memoryBytes };
  return openTask(texts, { job: JOB, backend: lsm({ directory, memory: `${budgetBytes}b` }), ...limit });
}

/** Removes the working state, and nothing else. */
export async function removeWorkingState(directory: string): Promise<void> {
  await rm(join(directory, "state", `n-${JOB}`), { recursive: true });
}

/** Gives every key a value, and takes a checkpoint. */
export async function fillState(task: TextTask, keyCount: number, keyOf: (index: number) => string): Promise<void> {
  for (let index = 0; index < keyCount; index++) {
    task.text.set(keyOf(index), valueWith(0));
    if (index % BATCH === 0) await task.ready();
  }
  await task.checkpoint({ full: true });
}

/** Reads, changes and writes one key after the other, with checkpoints on the way. Resolves to milliseconds. */
export async function changeState(task: TextTask, work: Work, checkpointEvery: number): Promise<number> {
  const { keys, picks } = work;
  return timed(task, work, checkpointEvery, async (from, until) => {
    let turnStarted = performance.now();
    for (let at = from; at < until; ) {
      const end = Math.min(until, at + BURST);
      for (; at < end; at++) {
        const key = keys[picks[at] as number] as string;
        task.text.set(key, valueWith(countIn(task.text.getSync(key) as string) + 1));
      }
      if (performance.now() - turnStarted < TURN_MS) continue;
      await task.ready();
      await new Promise((resolve) => setImmediate(resolve));
      turnStarted = performance.now();
    }
  });
}

/** The same with 1,000 records in flight. */
export async function changeStateInFlight(task: TextTask, work: Work, checkpointEvery: number): Promise<number> {
  const { keys, picks } = work;
  const keyOf = (pick: number): string => keys[pick] as string;
  return timed(task, work, checkpointEvery, (from, until) =>
    task.process(picks.subarray(from, until), keyOf, async (_, key) => {
      task.text.set(key, valueWith(countIn((await task.text.get(key)) as string) + 1));
    }),
  );
}

type Loop = (from: number, until: number) => Promise<void>;

/** A checkpoint is under way while the operations up to the next one are done; the last one is waited for. */
async function timed(task: TextTask, work: Work, checkpointEvery: number, loop: Loop): Promise<number> {
  const { length } = work.picks;
  let checkpoint: Promise<unknown> = Promise.resolve();
  const started = performance.now();
  for (let from = 0; from < length; from += checkpointEvery) {
    await loop(from, Math.min(length, from + checkpointEvery));
    await checkpoint;
    checkpoint = task.checkpoint();
    checkpoint.catch(() => undefined);
  }
  await checkpoint;
  const elapsedMs = performance.now() - started;
  checkCounts(work, (key) => task.text.getSync(key));
  return elapsedMs;
}

/** All keys in order. Resolves to milliseconds. */
export async function listState(task: TextTask, expected: number): Promise<number> {
  const started = performance.now();
  let count = 0;
  for await (const key of task.text.keys()) if (key !== "") count++;
  const elapsedMs = performance.now() - started;
  if (count !== expected) throw new Error(`Keys are missing. found=${count} expected=${expected}`);
  return elapsedMs;
}

/** From nothing to the first changed record. Resolves to milliseconds. */
export async function openFirst(place: StatePlace): Promise<number> {
  const key = keyAt(0);
  cleanHeap();
  const started = performance.now();
  const task = await openState(place);
  task.text.set(key, `${String(task.text.getSync(key))}.`);
  return performance.now() - started;
}
