/**
 * `Files` over the system's filesystem. The only file of this package that imports node:fs.
 *
 * Invariants:
 * - No handle outlives a failed call.
 * - Reads open with `O_NOFOLLOW`, so that a link put in place of an object is an error, and with `O_NONBLOCK`, so that a
 *   pipe put in its place does not hang the process. Windows knows neither flag.
 * - Windows cannot sync a directory. There `syncDirectory` does nothing: what was put survives a crash of the process,
 *   but only the filesystem's own journal decides whether its name survives a loss of power.
 */

import type { Stats } from "node:fs";
import { constants, link, lstat, mkdir, open, readdir, realpath, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { platform } from "node:process";
import { isSystemError } from "./io-error.js";
import type { DirectoryEntry, FileKind, Files, FileStatus, ReadableFile, WritableFile } from "./files.js";

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
const CAN_SYNC_DIRECTORIES = platform !== "win32";
/** Enough to keep the thread pool busy, few enough to leave it to others in between. */
const STATUS_BATCH = 32;

// The types promise all flags; Windows has `undefined` in place of those it lacks.
const READ_FLAGS = flags(constants.O_RDONLY, constants.O_NOFOLLOW, constants.O_NONBLOCK);
const DIRECTORY_FLAGS = flags(constants.O_RDONLY, constants.O_NOFOLLOW, constants.O_DIRECTORY);

/** The filesystem of this machine. */
export const nodeFiles: Files = Object.freeze({
  async create(path: string): Promise<WritableFile> {
    const handle = await open(path, "wx", FILE_MODE);
    return {
      write: async (bytes, position) => (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },

  async open(path: string): Promise<ReadableFile> {
    const handle = await open(path, READ_FLAGS);
    return {
      status: await statusOf(handle),
      read: async (buffer, position) => (await handle.read(buffer, 0, buffer.length, position)).bytesRead,
      close: () => handle.close(),
    };
  },

  link: (path: string, newPath: string) => link(path, newPath),
  unlink: (path: string) => unlink(path),
  makeDirectory: (path: string) => mkdir(path, { mode: DIRECTORY_MODE }),

  async readDirectory(path: string): Promise<readonly DirectoryEntry[]> {
    const names = await readdir(path);
    const entries: DirectoryEntry[] = [];
    for (let first = 0; first < names.length; first += STATUS_BATCH) {
      const batch = names.slice(first, first + STATUS_BATCH).map((name) => entryOf(path, name));
      for (const entry of await Promise.all(batch)) if (entry !== undefined) entries.push(entry);
    }
    return entries;
  },

  async syncDirectory(path: string): Promise<void> {
    if (!CAN_SYNC_DIRECTORIES) return;
    const handle = await open(path, DIRECTORY_FLAGS);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },

  status: async (path: string) => toStatus(await lstat(path)),
  realPath: (path: string) => realpath(path),
});

async function statusOf(handle: FileHandle): Promise<FileStatus> {
  try {
    return toStatus(await handle.stat());
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function entryOf(directory: string, name: string): Promise<DirectoryEntry | undefined> {
  try {
    return { name, ...toStatus(await lstat(join(directory, name))) };
  } catch (error) {
    // Removed since the directory was read: it is gone, so the listing is complete without it.
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

function toStatus(stats: Stats): FileStatus {
  return { kind: kindOf(stats), bytes: stats.size, modifiedMs: stats.mtimeMs, device: stats.dev };
}

function kindOf(stats: Stats): FileKind {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "link" : "other";
}

function flags(...values: readonly (number | undefined)[]): number {
  return values.reduce<number>((all, value) => all | (value ?? 0), 0);
}
