/** The kinds of values that suites store, behind one face. */

import { openTask, type JobControl } from "@tidemark/core";
import { type BackendName, backendOf } from "./backends.js";
import { account, accounting, counting } from "./operators.js";

export const valueKinds = ["numbers", "records"] as const;

export type ValueKind = (typeof valueKinds)[number];

/** A running task with one state. */
export interface Filled {
  readonly job: JobControl;
  /** Stores something new under `key`: number or record number `index`. */
  readonly put: (key: string, index: number) => void;
  /** What is stored under `key`. */
  readonly get: (key: string) => unknown;
}

/** What `put` stores. */
export function valueOf(kind: ValueKind, index: number): unknown {
  return kind === "numbers" ? index : account(index);
}

/** Opens a task for values of a kind; it continues from the latest checkpoint in `directory`, if there is one. */
export async function openFor(kind: ValueKind, backendName: BackendName, directory: string): Promise<Filled> {
  const backend = backendOf(backendName, directory);
  const options = { job: `bench-${kind}`, backend, graceMs: 0 };
  if (kind === "numbers") {
    const task = await openTask(counting, options);
    const { counter } = task;
    return { job: task, put: (key, index) => counter.set(key, index), get: (key) => counter.getSync(key) };
  }
  const task = await openTask(accounting, options);
  return {
    job: task,
    put: (key, index) => task.account.set(key, account(index)),
    get: (key) => task.account.getSync(key),
  };
}
