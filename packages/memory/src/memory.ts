/** The backend that keeps everything in this process. */

import { type Backend, memoryStorage } from "@tidemark/core";

export interface MemoryOptions {
  /**
   * The most bytes that one segment of a checkpoint may have: about the state of one task.
   * @defaultValue 5_242_880
   */
  readonly checkpointBytesMax?: number;
}

const DEFAULTS = Object.freeze({ checkpointBytesMax: 5 * 1024 * 1024 });

/**
 * Working state and checkpoints in memory. Checkpoints live as long as the returned backend: a task that is opened again with the
 * same backend continues from its latest checkpoint, another process does not see it.
 *
 * A checkpoint that is larger than `checkpointBytesMax` fails with LIMIT_EXCEEDED and changes nothing. Give `openTask` another place for
 * checkpoints, for example a directory, to keep more.
 * @throws {RangeError} if the limit is not a number greater than 0
 */
export function memory(options: MemoryOptions = {}): Backend<true> {
  const objectBytesMax = options.checkpointBytesMax ?? DEFAULTS.checkpointBytesMax;
  return Object.freeze({ name: "memory", sync: true, checkpoints: memoryStorage({ objectBytesMax }) });
}
