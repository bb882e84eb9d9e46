/**
 * Giving a complete, durable file its final name.
 *
 *     temp --link--> visible --sync of the directory--> durable
 *     temp --EEXIST--> there before: by someone else, or by a call of ours whose outcome was unknown
 *
 * Invariants:
 * - A name is given by `link`, which never replaces, and only to a file whose content is durable.
 * - Nothing is reported, not even that the name was taken, before the directory was synced: whoever took it may have
 *   died before that, and then the name could still vanish.
 */

import { dirname } from "node:path";
import { quoted, StateBackendError } from "@tidemark/core";
import type { PutOutcome } from "@tidemark/core";
import type { Files } from "./files.js";
import { attempt, isSystemError, refusal } from "./io-error.js";
import type { Attempt } from "./io-error.js";
import { isSameContent } from "./read-file.js";

/** What is to be published, and how. */
export interface Publication {
  /** Path of the complete, durable file; it keeps this name too. */
  readonly temp: string;
  /** Path of the object. Its directory is there and durable. */
  readonly target: string;
  /** Whether another object of that name is an outcome rather than an error. */
  readonly ifAbsent: boolean;
}

/** `link` with one of these did surely nothing; after others (EIO) the name may be there. */
const SURELY_REFUSED: ReadonlySet<string> = new Set([
  "EACCES",
  "EDQUOT",
  "EMLINK",
  "ENAMETOOLONG",
  "ENOENT",
  "ENOMEM",
  "ENOSPC",
  "ENOSYS",
  "ENOTDIR",
  "ENOTSUP",
  "EOPNOTSUPP",
  "EPERM",
  "EROFS",
  "EXDEV",
]);

/** Makes the object exist, durably; `exists` only with `ifAbsent`. */
export async function publish(files: Files, publication: Publication): Promise<PutOutcome> {
  const { target, ifAbsent } = publication;
  const isNew = await linkNew(files, publication);
  if (!isNew) await requireObject(files, publication);
  const directory = dirname(target);
  const what: Attempt = { failure: "Put failed", path: directory, outcome: "unknown" };
  await attempt(what, () => files.syncDirectory(directory));
  return isNew || !ifAbsent ? "created" : "exists";
}

/** Resolves to whether the name was free. */
async function linkNew(files: Files, { temp, target }: Publication): Promise<boolean> {
  try {
    await files.link(temp, target);
    return true;
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return false;
    if (!isSystemError(error)) throw error;
    const outcome = SURELY_REFUSED.has(error.code) ? "not-applied" : "unknown";
    throw refusal({ failure: "Put failed", path: target, outcome }, error.code, error);
  }
}

/** Throws unless what has the name is an object, and without `ifAbsent` one with the same bytes. */
async function requireObject(files: Files, { temp, target, ifAbsent }: Publication): Promise<void> {
  const what: Attempt = { failure: "Put failed", path: target, outcome: "unknown" };
  const { kind } = await attempt(what, () => files.status(target));
  const path = quoted(target);
  if (kind === "directory") {
    throw new RangeError(`Object name refused: other names continue it. path=${path}. Use another name.`);
  }
  if (kind !== "file") throw refusal({ ...what, outcome: "not-applied" }, "ELOOP");
  if (ifAbsent || (await attempt(what, () => isSameContent(files, temp, target)))) return;
  throw new StateBackendError(
    "CHECKPOINT_CORRUPT",
    `Put failed: the object of this name has other bytes. path=${path}. Put them under a name of their own.`,
  );
}
