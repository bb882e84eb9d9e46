/** The backends that the job can run on: one entry each. */

import type { Backend } from "@tidemark/core";
import { filesystem } from "@tidemark/filesystem";
import { memory } from "@tidemark/memory";

export interface BackendEntry {
  /** What a crash takes: the process, or only the task where state does not outlive the process. */
  readonly crash: "process" | "task";
  readonly usesDirectory: boolean;
  /** Opens the backend; `directory` is for its checkpoints, if it uses one. */
  open(directory: string): Backend<true>;
}

const entries: Readonly<Record<string, BackendEntry>> = {
  memory: { crash: "task", usesDirectory: false, open: () => memory() },
  filesystem: { crash: "process", usesDirectory: true, open: (directory) => filesystem({ directory }) },
};

export const backendNames: readonly string[] = Object.keys(entries);

export function usesDirectory(name: string): boolean {
  return backendEntry(name).usesDirectory;
}

/** @throws {RangeError} if there is no such backend */
export function backendEntry(name: string): BackendEntry {
  const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
  if (entry === undefined) throw new RangeError(`Unknown backend. name=${name} known=${backendNames.join(",")}.`);
  return entry;
}
