/** What the errors of the system mean to a caller of the contract. */

import { StateBackendError } from "@tidemark/core";

const codeOf = (error: unknown): string => String((error as { readonly code?: unknown }).code);

/** Gives `result` for errors of the system with one of `codes`; others pass. */
export const ifCode =
  <T>(codes: readonly string[], result: T) =>
  (error: unknown): T => {
    if (codes.includes(codeOf(error))) return result;
    throw error;
  };

/** Gives `result` where there is no such file. */
export const ifMissing = <T>(result: T) => ifCode(["ENOENT", "ENOTDIR", "EISDIR", "ERR_FS_EISDIR"], result);

export async function attempt<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof StateBackendError) throw cause;
    const continues = ["ENOTDIR", "EISDIR", "EEXIST"].includes(codeOf(cause));
    if (continues) throw new RangeError("One name continues another.", { cause });
    throw new StateBackendError("UNAVAILABLE", `The system failed. code=${codeOf(cause)}.`, {
      cause,
      outcome: "unknown",
    });
  }
}
