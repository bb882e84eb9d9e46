/** The files of a store besides what LevelDB does. The only file of this package that imports node:fs. */

import { mkdir, open, readdir, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { platform } from "node:process";
import { quoted, StateBackendError } from "@tidemark/core";

/** What a store does with files. */
export type Disk = typeof nodeDisk;

export const nodeDisk = Object.freeze({
  /** Makes `path` and what is above it. */
  async makeDirectory(path: string): Promise<void> {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },

  /** The same text for all paths to the same directory. */
  realPath: (path: string): Promise<string> => realpath(path),

  /** Names in `path`; none if it does not exist. */
  async names(path: string): Promise<readonly string[]> {
    try {
      return await readdir(path);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  },

  /** The bytes of each file in `path`. */
  async sizes(path: string): Promise<ReadonlyMap<string, number>> {
    const sizes = new Map<string, number>();
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (entry.isFile()) sizes.set(entry.name, (await stat(join(path, entry.name))).size);
    }
    return sizes;
  },

  read: (path: string): Promise<Buffer> => readFile(path),

  /** Makes the file `path`, whole or not at all. */
  async write(path: string, text: string): Promise<void> {
    const unfinished = `${path}.tmp`;
    const handle = await open(unfinished, "w", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, path);
    await syncDirectory(dirname(path));
  },

  /** Removes `path` and everything in it. */
  async remove(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true });
  },
});

/** Whether `error` says that there is no such file or directory. */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}

/** An error of the system as one of ours; those that are ours already pass. */
export function asDiskError(error: unknown, path: string): unknown {
  const code = codeOf(error);
  if (typeof code !== "string" || !/^E[A-Z0-9]+$/.test(code)) return error;
  return new StateBackendError(
    "UNAVAILABLE",
    `A directory for working state cannot be used. directory=${quoted(path)} code=${code}. ${remedyOf(code)}`,
    { cause: error },
  );
}

function remedyOf(code: string): string {
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return "Give this process the right to write there, or choose another directory.";
  }
  if (code === "ENOSPC" || code === "EDQUOT") return "Make room on the disk.";
  if (code === "ENOTDIR" || code === "EEXIST") return "A file has this name: choose another directory.";
  if (code === "EMFILE" || code === "ENFILE") return "Raise the limit of open files, or lower maxOpenFiles.";
  return "Check the disk.";
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code;
}

/** Windows cannot sync a directory. */
async function syncDirectory(path: string): Promise<void> {
  if (platform === "win32") return;
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
