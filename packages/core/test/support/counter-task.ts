/** A counter on a storage that a test holds up, and what its checkpoints have. */

import {
  type CheckpointListener,
  type CheckpointOptions,
  type CheckpointStorage,
  defineOperator,
  map,
  memoryStorage,
  openTask,
  string,
  value,
} from "../../src/index.js";
import type { HeldSegment } from "./held-segments.js";
import { HookedStorage } from "./hooked-storage.js";
import { ManualClock } from "./manual-clock.js";
import { objectsOf } from "./objects.js";

export const COUNTER = defineOperator("counter", {
  key: string(),
  states: { count: value({ default: 0 }), fields: map({ field: string() }) },
  maxParallelism: 4,
});

type Options = CheckpointOptions & { readonly listener?: CheckpointListener };

/** At most three checkpoints at a time, unless the options say otherwise. */
export async function openCounter(options: Options = {}, inner = memoryStorage()) {
  const storage = new HookedStorage(inner);
  const clock = new ManualClock();
  const backend = { name: "memory", sync: true, checkpoints: storage } as const;
  const task = await openTask(COUNTER, { job: "job", backend, clock, graceMs: 0, concurrentMax: 3, ...options });
  return { task, clock, storage, inner };
}

/** What a checkpoint holds, read from a place that may have gone on since. */
export async function restored(inner: CheckpointStorage, checkpoint: number): Promise<Record<string, number>> {
  const backend = { name: "memory", sync: true, checkpoints: memoryStorage() } as const;
  const task = await openTask(COUNTER, { job: "reader", backend, restore: { from: inner, job: "job", checkpoint } });
  const found = Object.fromEntries([...task.count.keysSync()].map((key) => [key, task.count.getSync(key)]));
  await task.close();
  return found;
}

/** One of the segments that are held, which has to be there. */
export const at = (held: readonly HeldSegment[], index: number): HeldSegment => held[index] as HeldSegment;

/** Last parts of the names of what a storage has. */
export async function leavesIn(inner: CheckpointStorage, kind: "segment" | "checkpoint"): Promise<string[]> {
  const names = [...(await objectsOf(inner)).keys()].filter((name) => name.includes(`/${kind}/`));
  return names.map((name) => name.slice(name.lastIndexOf("/") + 1));
}
