/** What errors of LevelDB mean to a caller. */

import { quoted, StateBackendError } from "@tidemark/core";

/** The codes of abstract-level that stand for damage. */
const DAMAGE: ReadonlySet<string> = new Set(["LEVEL_CORRUPTION", "LEVEL_INVALID_ARGUMENT", "LEVEL_NOT_FOUND"]);

/** The code of `error`, or of what is behind it: abstract-level wraps what happened when a database was opened. */
export function levelCode(error: unknown): string | undefined {
  const causes = [error, (error as { cause?: unknown } | undefined)?.cause];
  const codes = causes.map((cause) => (cause as { code?: unknown } | undefined)?.code);
  const [outer, inner] = codes.filter((code): code is string => typeof code === "string");
  return inner ?? outer;
}

/** Whether `error` says that stored bytes are not what they must be. */
export function isDamage(error: unknown): boolean {
  return DAMAGE.has(levelCode(error) ?? "");
}

/** `error` as one of ours; those that are ours already pass. `place` says where, for people. */
export function asStoreError(error: unknown, place: string): unknown {
  const code = levelCode(error);
  if (code === undefined || !code.startsWith("LEVEL_")) return error;
  if (code === "LEVEL_LOCKED") return lockedError(place, error);
  if (isDamage(error)) return corruptError(place, `LevelDB found damage. reason=${quoted(messageOf(error))}`, error);
  if (code === "LEVEL_DATABASE_NOT_OPEN" || code === "LEVEL_ITERATOR_NOT_OPEN") {
    return new StateBackendError("CLOSED", `The store is closed. ${place}. Open another handle.`, { cause: error });
  }
  return new StateBackendError(
    "UNAVAILABLE",
    `LevelDB did not do what was asked. ${place} code=${code} reason=${quoted(messageOf(error))}. ` +
      "Make room on the disk and check the permissions of the directory, then open the task again.",
    { cause: error, outcome: "unknown" },
  );
}

export function lockedError(place: string, cause?: unknown): StateBackendError {
  return new StateBackendError(
    "UNAVAILABLE",
    `The working state is open already. ${place}. Close the other task, or end the other process, and try again: one at a time may have it.`,
    { cause },
  );
}

export function corruptError(place: string, what: string, cause?: unknown): StateBackendError {
  return new StateBackendError(
    "CHECKPOINT_CORRUPT",
    `Working state is damaged. ${place} ${what}. Open the task again: its working state is then rebuilt from the checkpoint.`,
    { cause },
  );
}

function messageOf(error: unknown): string {
  const { cause, message } = error as { cause?: { message?: unknown }; message?: unknown };
  return String(cause?.message ?? message);
}
