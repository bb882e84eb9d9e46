/** Who is told what becomes of checkpoints. */

/**
 * Called, best effort, with ids in ascending order, when the outcome is known; not for savepoints, except by `stopped`. A crash may come before a call:
 * what must not be missed belongs into the state. The calls are synchronous. If one throws, the tasks are poisoned; what was
 * published stays published.
 */
export interface CheckpointListener {
  /**
   * The barrier of a checkpoint or savepoint, in the same turn in which the state is frozen: what was collected outside of the state until now belongs to
   * it. Ids ascend, those of savepoints too.
   */
  readonly barrier?: (id: number) => void;
  /** The checkpoint can be restored. */
  readonly completed?: (id: number) => void;
  /** The checkpoint was given up and will never be restored; the next one contains what it had. */
  readonly aborted?: (id: number) => void;
  /** The checkpoints are not kept any more, because newer ones are. */
  readonly subsumed?: (ids: readonly number[]) => void;
  /** `stop` ended the job with this checkpoint or savepoint: it has everything that the job did. */
  readonly stopped?: (id: number) => void;
}
