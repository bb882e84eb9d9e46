/** The laws of the conformance kit on checkpoints in memory. The kit's names of tests quote the clauses. */

import type { BackendHarness } from "@tidemark/conformance";
import { conformance } from "@tidemark/conformance/vitest";
import { type CheckpointStorage, hasCode, memoryStorage, StateBackendError } from "@tidemark/core";
import { memory } from "../src/index.js";

/** A memory that several handles share, as places of other adapters are: closing a handle keeps what is stored. */
function handleOn(shared: CheckpointStorage): CheckpointStorage {
  const underWay = new Set<Promise<unknown>>();
  let isClosed = false;
  const whileOpen = <T>(run: () => T): T => {
    if (isClosed) throw new StateBackendError("CLOSED", "The handle is closed. Open another one.");
    return run();
  };
  return {
    async put(name, body, options) {
      const put = whileOpen(() => shared.put(name, body, options));
      underWay.add(put);
      return put;
    },
    async *get(name, range) {
      yield* whileOpen(() => shared.get(name, range));
    },
    async *list(prefix) {
      yield* whileOpen(() => shared.list(prefix));
    },
    remove: async (names) => whileOpen(() => shared.remove(names)),
    async close() {
      isClosed = true;
      await Promise.allSettled(underWay);
    },
  };
}

const harness: BackendHarness<CheckpointStorage> = {
  name: "memory",
  contract: "backend",
  inapplicable: { faults: "nothing below memory can fail" },
  create: () => memoryStorage(),
  reopen: handleOn,
  backend: () => memory(),
  advance: () => {},
  async readBack(place, name) {
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of place.get(name)) chunks.push(chunk);
    } catch (error) {
      if (hasCode(error, "CHECKPOINT_NOT_FOUND")) return undefined;
      throw error;
    }
    return Buffer.concat(chunks);
  },
  async corrupt(place, name, bytes) {
    await place.remove([name]);
    if (bytes !== undefined) await place.put(name, bytes);
  },
};

conformance(harness);

conformance(
  {
    ...harness,
    name: "memory with its limit",
    capabilities: { objectBytesMax: 5_242_880 },
    create: () => memory().checkpoints,
  },
  { only: ["objects"] },
);
