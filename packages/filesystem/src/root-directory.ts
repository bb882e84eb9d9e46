/**
 * Finding and making the directory that everything lies in.
 *
 * Invariants:
 * - A directory's name is durable before anything is made in it, so that only the last one found can still be at risk.
 * - Looking for the root writes nothing: a read-only disk can be read.
 */

import { basename, dirname, join } from "node:path";
import type { Files, FileStatus } from "./files.js";
import { attempt, isSystemError, refusal } from "./io-error.js";
import type { Attempt } from "./io-error.js";
import { TEMP_DIRECTORY } from "./temp-files.js";

const FAILURE = "Checkpoint storage could not be opened";

/** The real path of the directory at `path`; nothing if there is none yet. */
export async function findRoot(files: Files, path: string): Promise<string | undefined> {
  const what: Attempt = { failure: FAILURE, path };
  const root = await attempt(what, () => realPathIfAny(files, path));
  if (root === undefined) return undefined;
  const { kind } = await attempt(what, () => files.status(root));
  if (kind !== "directory") throw refusal(what, "ENOTDIR");
  return root;
}

/** The real path of the directory at `path`, made if there was none, durably. */
export async function makeRoot(files: Files, path: string): Promise<string> {
  await attempt({ failure: FAILURE, path }, () => makeDurable(files, path));
  const root = await findRoot(files, path);
  if (root === undefined) throw refusal({ failure: FAILURE, path }, "ENOENT");
  return root;
}

/** The path of the temporary place in `root`, made if there was none; not durably, since nothing in it is missed. */
export async function makeTempPlace(files: Files, root: string): Promise<string> {
  const path = join(root, TEMP_DIRECTORY);
  const what: Attempt = { failure: FAILURE, path };
  await attempt(what, () => makeIfAbsent(files, path));
  const [ours, theirs] = await attempt(what, () => Promise.all([files.status(path), files.status(root)]));
  refuseOther(what, ours);
  // A link across filesystems is impossible: better to know now than with the first checkpoint.
  if (ours.device !== theirs.device) throw refusal(what, "EXDEV");
  return path;
}

async function makeDurable(files: Files, path: string): Promise<void> {
  const found = await realPathIfAny(files, path);
  if (found !== undefined) return syncParentOfFound(files, found);
  await makeDurable(files, dirname(path));
  const parent = await files.realPath(dirname(path));
  await makeIfAbsent(files, join(parent, basename(path)));
  await files.syncDirectory(parent);
}

async function syncParentOfFound(files: Files, path: string): Promise<void> {
  try {
    // Found does not mean durable: we may have made it in a process that died before this.
    await files.syncDirectory(dirname(path));
  } catch (error) {
    // Where we may not read the parent we cannot have made the directory either, or else that call has failed.
    if (!isSystemError(error, "EACCES", "EPERM")) throw error;
  }
}

/** Throws unless `status` is a directory's. */
export function refuseOther(what: Attempt, status: FileStatus): void {
  if (status.kind === "link") throw refusal(what, "ELOOP");
  if (status.kind !== "directory") throw refusal(what, "ENOTDIR");
}

/** Makes one directory; one that is there already is as good. */
export async function makeIfAbsent(files: Files, path: string): Promise<void> {
  try {
    await files.makeDirectory(path);
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw error;
  }
}

async function realPathIfAny(files: Files, path: string): Promise<string | undefined> {
  try {
    return await files.realPath(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}
