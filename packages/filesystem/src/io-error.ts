/**
 * The system's errors as ours: what failed, on which path, and what to do about it.
 *
 * Invariants:
 * - Only errors of the system are translated. Everything else (a caller's error, a bug of ours) passes as it is.
 */

import { quoted, StateBackendError } from "@tidemark/core";
import type { Outcome } from "@tidemark/core";

/** An error of the operating system, as node:fs reports it. */
export interface SystemError extends Error {
  readonly code: string;
}

/** What a call was to achieve when the system reported an error. */
export interface Purpose {
  /** What failed, as the message begins: "Put failed". */
  readonly failure: string;
  /** Whether the call's effect took place, if this step fails. @defaultValue "not-applied" */
  readonly outcome?: Outcome;
}

/** One step of it. */
export interface Attempt extends Purpose {
  readonly path: string;
}

const NO_LINKS = "Choose a filesystem with hard links and syncing of directories; ext4, XFS, Btrfs and APFS have both.";

const REMEDIES: Readonly<Record<string, string>> = Object.freeze({
  EACCES: "Give the user of this process the right to read, write and search this path.",
  EBUSY: "Find what holds this path, then repeat the call.",
  EDQUOT: "Raise the user's disk quota or free space within it, then repeat the call.",
  EFBIG: "Raise the limit of file size (ulimit -f), or choose a filesystem for larger files.",
  EINVAL: NO_LINKS,
  EIO: "The device failed to read or write: see the system's log, and replace the disk if it recurs.",
  ELOOP: "Replace the symbolic link: inside the directory all must be real directories and files.",
  EMFILE: "Raise this process's limit of open files (ulimit -n), or let it open fewer.",
  EMLINK: NO_LINKS,
  ENAMETOOLONG: "Choose a shorter path for the directory.",
  ENFILE: "Raise the machine's limit of open files, or close some, then repeat the call.",
  ENODEV: "Bring the device back, then repeat the call.",
  ENOENT: "Something else removed this path: keep other programs out of the directory, then repeat the call.",
  ENOMEM: "Free memory on this machine, then repeat the call.",
  ENOSPC: "Free space on this filesystem, then repeat the call.",
  ENOSYS: NO_LINKS,
  ENOTDIR: "Choose a path that is a directory or does not exist yet.",
  ENOTSUP: NO_LINKS,
  EOPNOTSUPP: NO_LINKS,
  EPERM: `Check the ownership and the attributes of this path. ${NO_LINKS}`,
  EROFS: "Mount the filesystem for writing, or choose a directory on another one.",
  ESTALE: "Mount the network filesystem again, then repeat the call.",
  ETIMEDOUT: "Restore the connection to the network filesystem, then repeat the call.",
  EXDEV: "Keep all of the directory on one filesystem: mount nothing below it.",
});

/** True for an error of the operating system, and of one of `codes` if any are given. */
export function isSystemError(error: unknown, ...codes: readonly string[]): error is SystemError {
  if (!(error instanceof Error) || !("code" in error)) return false;
  // Node's own argument errors have an underscore in the code (ERR_INVALID_ARG_TYPE); the system's have none.
  if (typeof error.code !== "string" || !/^E[A-Z0-9]+$/.test(error.code)) return false;
  return codes.length === 0 || codes.includes(error.code);
}

/** The result of `operation`; an error of the system becomes one of ours that tells what was attempted. */
export async function attempt<T>(what: Attempt, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw isSystemError(error) ? refusal(what, error.code, error) : error;
  }
}

/** Our error for what the system refused with `code`, or would have if we had not looked first. */
export function refusal(what: Attempt, code: string, cause?: SystemError): StateBackendError {
  const remedy = REMEDIES[code] ?? "See the system's manual for this code, then repeat the call.";
  return new StateBackendError(
    code === "EFBIG" ? "LIMIT_EXCEEDED" : "UNAVAILABLE",
    `${what.failure}. code=${code} path=${quoted(what.path)}. ${remedy}`,
    { outcome: what.outcome ?? "not-applied", ...(cause === undefined ? {} : { cause }) },
  );
}

/**
 * Runs a step whose failure changes nothing that anyone was promised; the caller says why at the place of the call.
 * Resolves to whether it succeeded. Only errors of the system are passed over, a bug of ours is not.
 */
export async function succeeds(operation: () => Promise<void>): Promise<boolean> {
  try {
    await operation();
    return true;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
}
