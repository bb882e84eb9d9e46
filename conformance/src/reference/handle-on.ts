/** Handles on one storage in memory, as several processes would have them on a place that outlives them. */

import { type CheckpointStorage, StateBackendError } from "@tidemark/core";

/** A handle of its own: closing it keeps what is stored, and the other handles. */
export function handleOn(shared: CheckpointStorage): CheckpointStorage {
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
      return put.finally(() => underWay.delete(put));
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
