/** The harness of the storage in memory that core has: the reference, which every law must pass. */

import { type Backend, type CheckpointStorage, hasCode, memoryStorage } from "@tidemark/core";
import { readObject } from "../oracles/stored-objects.js";
import type { BackendHarness } from "../runner/adapter-harness.js";
import { handleOn } from "./handle-on.js";

/** State that is complete in memory. */
export function memoryBackend(): Backend<true> {
  return { name: "memory", sync: true, checkpoints: memoryStorage() };
}

/** Places are storages in memory. Nothing survives the process, and nothing below can fail. */
export const MEMORY_HARNESS: BackendHarness<CheckpointStorage> = {
  name: "memory",
  contract: "backend",
  inapplicable: { faults: "nothing below memory can fail" },
  create: () => memoryStorage(),
  reopen: handleOn,
  backend: memoryBackend,
  // Nothing in it looks at a clock.
  advance: () => {},
  async readBack(place, name) {
    try {
      return await readObject(place, name);
    } catch (error) {
      if (hasCode(error, "CHECKPOINT_NOT_FOUND")) return undefined;
      throw error;
    }
  },
  async corrupt(place, name, bytes) {
    await place.remove([name]);
    if (bytes !== undefined) await place.put(name, bytes);
  },
};
