/** The backends that the job can run on: one entry each. */

import type { Backend } from "@tidemark/core";
import { directory as inDirectory, filesystem } from "@tidemark/filesystem";
import { lsm } from "@tidemark/lsm";
import { memory } from "@tidemark/memory";
import { postgres } from "@tidemark/postgres";
import { redis } from "@tidemark/redis";
import { schemaOf } from "./servers.js";

export interface BackendSettings {
  /** For its checkpoints and its working state, if it uses one. */
  readonly directory: string;
  /** Of the server that its working state is in, if it is in one. */
  readonly url?: string | undefined;
  /** What everything on the server is named after. */
  readonly space: string;
  /** What the working state may take, if it is not all in memory. */
  readonly memory?: string | undefined;
}

export interface BackendEntry {
  /** What a crash takes: the process, or only the task where state does not outlive the process. */
  readonly crash: "process" | "task";
  readonly usesDirectory: boolean;
  /** Whether `memory` bounds what the working state takes. */
  readonly isBounded: boolean;
  open(settings: BackendSettings): Backend;
}

const entries: Readonly<Record<string, BackendEntry>> = {
  lsm: {
    crash: "process",
    usesDirectory: true,
    isBounded: true,
    open: ({ directory, memory: bytes }) => lsm({ directory, ...(bytes === undefined ? {} : { memory: bytes }) }),
  },
  filesystem: {
    crash: "process",
    usesDirectory: true,
    isBounded: false,
    open: ({ directory }) => filesystem({ directory }),
  },
  redis: {
    crash: "process",
    usesDirectory: true,
    isBounded: false,
    open: ({ directory, url, space }) =>
      redis({ url: url ?? "", prefix: `${space}:`, checkpoints: inDirectory(directory) }),
  },
  postgres: {
    crash: "process",
    usesDirectory: false,
    isBounded: false,
    open: ({ url, space }) => postgres({ url: url ?? "", schema: schemaOf(space) }),
  },
  memory: { crash: "task", usesDirectory: false, isBounded: false, open: () => memory() },
};

export const backendNames: readonly string[] = Object.keys(entries);

/** @throws {RangeError} if there is no such backend */
export function backendEntry(name: string): BackendEntry {
  const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
  if (entry === undefined) throw new RangeError(`Unknown backend. name=${name} known=${backendNames.join(",")}.`);
  return entry;
}
