/**
 * Writes of the caller's that take place if and only if a checkpoint completes.
 *
 * Invariants:
 * - They are done in the transaction that makes the manifest exist, in the order of the checkpoints, and never for an owner that was taken over.
 * - Where they cannot be, that is said before anything changes.
 */

import type { PublishWork } from "../checkpoint/lineage.js";
import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";
import type { Deadline } from "./deadline.js";

/** For which checkpoint results are written. */
export interface TransactionScope {
  /** Id of the checkpoint that is about to complete. */
  readonly checkpoint: number;
}

/**
 * Writes results on `client`, which is in the transaction that completes the checkpoint. It may be called again for the same checkpoint: what it wrote
 * before has then not taken place. It leaves BEGIN, COMMIT and ROLLBACK out, and has the job's `timeoutMs`. If it throws, the checkpoint is aborted.
 */
export type CheckpointTransaction<Client = never> = (client: Client, scope: TransactionScope) => Promise<void>;

/**
 * @throws {TypeError} if `transaction` is no function, or the storage has no transactions
 */
export function checkTransaction(storage: CheckpointStorage, transaction: CheckpointTransaction | undefined): void {
  if (transaction === undefined) return;
  if (typeof transaction !== "function") {
    throw new TypeError(
      `transaction is not a function. received=${typeof transaction}. Use (client) => Promise<void>.`,
    );
  }
  if (typeof storage.putWith === "function") return;
  throw new TypeError(
    "Where checkpoints go there are no transactions. Use a storage that has them, as checkpoints: postgresStorage(…), or leave transaction out.",
  );
}

/** `transaction` as it is done with a manifest, within the time of `deadline`. */
export function publishWork(
  transaction: CheckpointTransaction,
  checkpoint: number,
  deadline: () => Deadline,
): PublishWork {
  const failures = new Set<unknown>();
  return {
    async run(client) {
      const limit = deadline();
      try {
        await limit.race(Promise.resolve(transaction(client as never, { checkpoint })));
      } catch (error) {
        failures.add(error);
        throw error;
      } finally {
        limit.end();
      }
    },
    isFailure: (error) => failures.has(error),
  };
}
