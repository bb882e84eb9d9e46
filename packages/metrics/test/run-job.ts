/** A job whose figures are looked for in the metrics. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Backend, type CheckpointInfo, defineOperator, openTask, string, value } from "@tidemark/core";
import { filesystem } from "@tidemark/filesystem";
import { memory } from "@tidemark/memory";
import { onTestFinished } from "vitest";

export const BACKENDS = ["memory", "filesystem"] as const;

export async function emptyBackend(name: (typeof BACKENDS)[number]): Promise<Backend<true>> {
  if (name === "memory") return memory();
  const directory = await mkdtemp(join(tmpdir(), "tidemark-metrics-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return filesystem({ directory });
}

const OPERATOR = defineOperator("counter", { key: string(), states: { count: value({ default: 0 }) } });

export interface Run {
  readonly completed: readonly CheckpointInfo[];
  /** Bytes that the restore at the end read. */
  readonly restoredBytes: number;
}

/** Three checkpoints, of which two are subsumed, then a restore. 130 writes and a read. */
export async function runJob(backend: Backend<true>): Promise<Run> {
  const task = await openTask(OPERATOR, { job: "job", backend });
  for (let i = 0; i < 130; i++) {
    task.count.set(`key ${i}`, i);
    if (i % 50 === 20) await task.checkpoint();
  }
  const completed = task.checkpoints;
  await task.close();
  const again = await openTask(OPERATOR, { job: "job", backend });
  await again.count.get("key 1");
  await again.close();
  return { completed, restoredBytes: completed.at(-1)?.fullBytes ?? 0 };
}

export function sumOf(completed: readonly CheckpointInfo[], figure: "durationMs" | "incrementalBytes"): number {
  return completed.reduce((sum, info) => sum + info[figure], 0);
}
