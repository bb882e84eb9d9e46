/** The backends that are measured. */

import type { Backend } from "@tidemark/core";
import { filesystem } from "@tidemark/filesystem";
import { memory } from "@tidemark/memory";

export const backendNames = ["memory", "filesystem", "lsm", "postgres", "redis"] as const;

export type BackendName = (typeof backendNames)[number];

/** A backend that is empty if `directory` is. */
export function backendOf(name: BackendName, directory: string): Backend<true> {
  switch (name) {
    case "memory":
      return memory({ checkpointBytesMax: Number.POSITIVE_INFINITY });
    case "filesystem":
      return filesystem({ directory });
    case "lsm":
    case "postgres":
    case "redis":
      throw new Error(`This backend is measured by suites of its own. backend=${name}.`);
  }
}
