/** The backend that keeps working state in memory and checkpoints in a directory. */

import type { Backend } from "@tidemark/core";
import { directory } from "./directory-storage.js";

export interface FilesystemOptions {
  /** Where checkpoints go; made when it is first written to. */
  readonly directory: string;
}

/**
 * Working state in memory, complete; checkpoints in a directory, safe against the crash of the process and of the machine.
 * @throws {TypeError} if no directory is given
 */
export function filesystem(options: FilesystemOptions): Backend<true> {
  return Object.freeze({ name: "filesystem", sync: true, checkpoints: directory(options.directory) });
}
