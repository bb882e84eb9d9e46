/** The backends that are measured. */

import type { Backend } from "@tidemark/core";
import { filesystem } from "@tidemark/filesystem";
import { memory } from "@tidemark/memory";

export const backendNames = ["memory", "filesystem", "lsm", "redis"] as const;

export type BackendName = (typeof backendNames)[number];

/** A backend that is empty if `directory` is. */
export function backendOf(name: BackendName, directory: string): Backend<true> {
  switch (name) {
    case "memory":
      return memory({ checkpointBytesMax: Number.POSITIVE_INFINITY });
    case "filesystem":
      return filesystem({ directory });
    case "lsm":
      throw new Error("Only the store of this backend is measured, by lsm-store.");
    case "redis":
      throw new Error("Only the store of this backend is measured, by redis-store.");
  }
}
