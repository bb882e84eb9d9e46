/** Storages that are broken on purpose, one rule of the protocol each, and the law that each must break. */

import type { CheckpointStorage } from "@tidemark/core";
import { isSystemError } from "../../src/io-error.js";
import { TEMP_DIRECTORY } from "../../src/temp-files.js";
import type { Files, WritableFile } from "../../src/files.js";
import type { LawName } from "./laws.js";

/** A storage to try the laws on: `directory` between these two layers. */
export interface Variant {
  /** What the storage sees in place of the disk. */
  readonly files: (disk: Files) => Files;
  /** What the caller sees in place of the storage. */
  readonly storage: (storage: CheckpointStorage) => CheckpointStorage;
}

/** A broken variant, and one law that catches it. */
export interface Mutant extends Partial<Variant> {
  readonly law: LawName;
}

/** The storage as it is. */
export const CORRECT: Variant = { files: (disk) => disk, storage: (storage) => storage };

const nothing = async (): Promise<void> => undefined;

/** The storage as it is, over files of which some operations are replaced. */
function filesWith(replace: (disk: Files) => Partial<Files>): Partial<Variant> {
  return { files: (disk) => ({ ...bound(disk), ...replace(disk) }) };
}

/** The same with operations of the files that are being written. */
function writingWith(replace: (file: WritableFile) => Partial<WritableFile>): Partial<Variant> {
  return filesWith((disk) => ({
    create: async (path) => {
      const file = await disk.create(path);
      return { ...file, ...replace(file) };
    },
  }));
}

function storageWith(replace: (storage: CheckpointStorage) => Partial<CheckpointStorage>): Partial<Variant> {
  return {
    storage: (storage) => ({
      put: (name, body, options) => storage.put(name, body, options),
      get: (name, range) => storage.get(name, range),
      list: (prefix) => storage.list(prefix),
      remove: (names) => storage.remove(names),
      close: () => storage.close(),
      ...replace(storage),
    }),
  };
}

/** Each broken in one respect, by name. */
export const MUTANTS: Readonly<Record<string, Mutant>> = {
  "no file sync": { law: "power loss", ...writingWith(() => ({ sync: nothing })) },
  "no sync after a restart": { law: "power loss twice", ...syncOnlyBeforeRestart() },
  "no directory sync": { law: "power loss", ...filesWith(() => ({ syncDirectory: nothing })) },
  "no sync of an object's directory": { law: "power loss", ...skipSyncAfter((call) => call === "link") },
  "no sync of a new directory's parent": { law: "power loss", ...skipSyncAfter((call) => call === "makeDirectory") },
  "no sync after unlink": { law: "power loss", ...skipSyncAfter((call) => call === "unlink") },
  "no sync where the parent was found": { law: "restart in between", ...syncOnlyAfterChange() },
  "published before the sync": { law: "power loss", ...publishedBeforeSync() },
  "removed in reverse order": {
    law: "power loss",
    ...storageWith((storage) => ({ remove: (names) => storage.remove([...names].reverse()) })),
  },
  "file sync retried": { law: "failed sync", ...writingWith((file) => ({ sync: () => retried(() => file.sync()) })) },
  "file sync believed": { law: "failed sync", ...writingWith((file) => ({ sync: () => file.sync().catch(nothing) })) },
  "failed directory sync believed": {
    law: "failed directory sync",
    ...filesWith((disk) => ({ syncDirectory: (path) => disk.syncDirectory(path).catch(nothing) })),
  },
  "absent object removed without sync": { law: "failed directory sync", ...skipSyncAfter((call) => call === "absent") },
  "present object accepted without sync": {
    law: "failed directory sync",
    ...skipSyncAfter((call) => call === "taken"),
  },
  "rename instead of link": { law: "one winner", ...filesWith((disk) => ({ link: replacing(disk) })) },
  "exists before it is durable": { law: "restart in between", ...skipSyncAfter((call) => call === "taken") },
  "other bytes accepted": {
    law: "never replaced",
    ...storageWith((storage) => ({
      put: async (name, body, options) => {
        const outcome = await storage.put(name, body, { ifAbsent: true });
        return options?.ifAbsent === true ? outcome : "created";
      },
    })),
  },
  "short write believed": {
    law: "short transfers",
    ...writingWith((file) => ({
      write: async (bytes, position) => {
        await file.write(bytes, position);
        return bytes.length;
      },
    })),
  },
  "short read believed": {
    law: "short transfers",
    ...filesWith((disk) => ({
      open: async (path) => {
        const file = await disk.open(path);
        const read = async (buffer: Uint8Array, position: number) => {
          await file.read(buffer, position);
          return buffer.length;
        };
        return { ...file, read };
      },
    })),
  },
  "written in place": { law: "crash at every operation", ...writtenInPlace() },
  "unreadable taken for absent": { law: "errors everywhere", ...filesWith((disk) => ({ open: absentIfFailed(disk) })) },
  "unlistable taken for empty": {
    law: "errors everywhere",
    ...filesWith((disk) => ({ readDirectory: (path) => disk.readDirectory(path).catch(() => []) })),
  },
  "temporary files left": {
    law: "errors everywhere",
    ...filesWith((disk) => ({ unlink: (path) => (isTemp(path) ? nothing() : disk.unlink(path)) })),
  },
  "handle left open after a failed write": {
    law: "errors everywhere",
    ...writingWith((file) => {
      let hasFailed = false;
      const write = async (bytes: Uint8Array, position: number) => {
        try {
          return await file.write(bytes, position);
        } catch (error) {
          hasFailed = true;
          throw error;
        }
      };
      return { write, close: () => (hasFailed ? nothing() : file.close()) };
    }),
  },
  "outcome of a link taken for granted": {
    law: "honest outcome",
    ...filesWith((disk) => ({
      // What a storage does that takes each failed link for one without effect.
      link: (path, newPath) =>
        disk.link(path, newPath).catch(() => {
          throw Object.assign(new Error("link"), { code: "ENOSPC" });
        }),
    })),
  },
};

/** `disk` with its methods as plain functions, so that a spread takes them along. */
function bound(disk: Files): Files {
  return {
    create: (path) => disk.create(path),
    open: (path) => disk.open(path),
    link: (path, newPath) => disk.link(path, newPath),
    unlink: (path) => disk.unlink(path),
    makeDirectory: (path) => disk.makeDirectory(path),
    readDirectory: (path) => disk.readDirectory(path),
    syncDirectory: (path) => disk.syncDirectory(path),
    status: (path) => disk.status(path),
    realPath: (path) => disk.realPath(path),
  };
}

type Change = "absent" | "link" | "makeDirectory" | "taken" | "unlink";

/** Skips each sync of a directory whose last change was of the kind told. */
function skipSyncAfter(isSkipped: (change: Change) => boolean): Partial<Variant> {
  return filesWith((disk) => {
    const last = new Map<string, Change>();
    return {
      link: async (path, newPath) => {
        last.set(parentOf(newPath), "taken");
        await disk.link(path, newPath);
        last.set(parentOf(newPath), "link");
      },
      unlink: async (path) => {
        last.set(parentOf(path), "absent");
        await disk.unlink(path);
        last.set(parentOf(path), "unlink");
      },
      makeDirectory: async (path) => {
        await disk.makeDirectory(path);
        last.set(parentOf(path), "makeDirectory");
      },
      syncDirectory: async (path) => {
        const change = last.get(path);
        if (change === undefined || !isSkipped(change)) await disk.syncDirectory(path);
      },
    };
  });
}

/** Syncs a directory only if this handle changed it: what an earlier process left unsynced stays so. */
function syncOnlyAfterChange(): Partial<Variant> {
  return filesWith((disk) => {
    const changed = new Set<string>();
    return {
      link: async (path, newPath) => {
        await disk.link(path, newPath);
        changed.add(parentOf(newPath));
      },
      makeDirectory: async (path) => {
        await disk.makeDirectory(path);
        changed.add(parentOf(path));
      },
      syncDirectory: async (path) => {
        if (changed.has(path)) await disk.syncDirectory(path);
      },
    };
  });
}

/** Syncs files while the disk is new, and forgets to on one that was there before. */
function syncOnlyBeforeRestart(): Partial<Variant> {
  let opened = 0;
  return {
    files: (disk) => {
      const isFirst = opened++ === 0;
      const create: Files["create"] = async (path) => {
        const file = await disk.create(path);
        return isFirst ? file : { ...file, sync: nothing };
      };
      return { ...bound(disk), create };
    },
  };
}

/** Links first, then syncs what was linked. */
function publishedBeforeSync(): Partial<Variant> {
  return filesWith((disk) => {
    const unsynced = new Map<string, WritableFile>();
    return {
      create: async (path) => {
        const file = await disk.create(path);
        unsynced.set(path, file);
        return { ...file, sync: nothing, close: nothing };
      },
      link: async (path, newPath) => {
        await disk.link(path, newPath);
        await unsynced.get(path)?.sync();
        await unsynced.get(path)?.close();
      },
    };
  });
}

/** Copies into the final name instead of giving it to a complete file. */
function writtenInPlace(): Partial<Variant> {
  return filesWith((disk) => ({
    link: async (path, newPath) => {
      const source = await disk.open(path);
      const bytes = new Uint8Array(source.status.bytes);
      await source.read(bytes, 0);
      await source.close();
      const file = await disk.create(newPath);
      await file.write(bytes, 0);
      await file.sync();
      await file.close();
    },
  }));
}

/** One replacement at a time, so that each is as atomic as a rename. */
function replacing(disk: Files): Files["link"] {
  let last = Promise.resolve();
  const replace = async (path: string, newPath: string): Promise<void> => {
    try {
      await disk.unlink(newPath);
    } catch (error) {
      if (!isSystemError(error, "ENOENT")) throw error;
    }
    await disk.link(path, newPath);
  };
  return (path, newPath) => {
    last = last.then(() => replace(path, newPath));
    return last;
  };
}

function absentIfFailed(disk: Files): Files["open"] {
  return async (path) => {
    try {
      return await disk.open(path);
    } catch {
      throw Object.assign(new Error("open"), { code: "ENOENT" });
    }
  };
}

async function retried(operation: () => Promise<void>): Promise<void> {
  try {
    await operation();
  } catch {
    await operation();
  }
}

function isTemp(path: string): boolean {
  return path.includes(`/${TEMP_DIRECTORY}/`);
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
