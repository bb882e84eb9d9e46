/**
 * A store in a directory of its own:
 *
 *   TIDEMARK    whose it is, as JSON
 *   lock/       a LevelDB database without content: who has it open has the store
 *   data/       the LevelDB database of the state
 *
 * Invariants:
 * - Nothing is made in, or removed from, a directory that is someone else's.
 * - `data` is judged, removed and made only by who has `lock`; the system frees that when a process dies.
 * - A database that cannot be trusted is removed here and made anew; it is never repaired.
 */

import { join } from "node:path";
import { type Clock, quoted, StateBackendError, type TaskScope } from "@tidemark/core";
import { asDiskError, type Disk } from "./disk.js";
import { damageOf, type Verify } from "./files/database-files.js";
import type { OwnLevelDatabase } from "./level-database.js";
import { asStoreError, isDamage, levelCode, lockedError } from "./level-error.js";
import type { OpenLevel } from "./level-module.js";
import { LevelSpace } from "./level-space.js";
import { checkMarker, FORMAT_VERSION, isMarkerFile, MARKER, markerText } from "./marker.js";
import { type Contents, type OpenPlace, type Place, readContents, writeContents } from "./place.js";
import { scopePath } from "./scope-path.js";

export interface DirectoryPlaceParts {
  /** The directory of the backend. */
  readonly directory: string;
  readonly verify: Verify;
  readonly openLevel: OpenLevel;
  readonly disk: Disk;
  readonly clock: Clock;
}

/** What this process has open. The system's lock is the process's: it does not keep two stores of one process apart. */
const openHere = new Set<string>();

export function directoryPlace(parts: DirectoryPlaceParts): Place {
  return async (scope) => {
    const path = join(parts.directory, "state", ...scopePath(scope));
    const claim = new DirectoryClaim(parts, path, scope);
    return explained(path, async () => {
      await claim.take();
      return { open: () => explained(path, () => claim.open()), release: () => claim.release() };
    });
  };
}

/** Errors of LevelDB and of the system as ours. */
async function explained<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asDiskError(asStoreError(error, placeText(path)), path);
  }
}

class DirectoryClaim {
  readonly #parts: DirectoryPlaceParts;
  readonly #path: string;
  readonly #scope: TaskScope;
  /** The version of what was there before, if there was something. */
  #version: number | undefined;
  /** How to give back what was taken, in the order in which it was. */
  readonly #undo: (() => Promise<void>)[] = [];

  constructor(parts: DirectoryPlaceParts, path: string, scope: TaskScope) {
    this.#parts = parts;
    this.#path = path;
    this.#scope = scope;
  }

  async take(): Promise<void> {
    this.#version = await this.#claim();
    const name = await this.#parts.disk.realPath(this.#path);
    if (openHere.has(name)) throw lockedError(placeText(this.#path));
    openHere.add(name);
    this.#undo.push(async () => void openHere.delete(name));
    try {
      const lock = await this.#openLock();
      this.#undo.push(() => lock.close());
    } catch (error) {
      await this.release();
      throw error;
    }
  }

  async open(): Promise<OpenPlace> {
    const { database, contents, emptyBecause } = await this.#openData();
    this.#undo.push(() => database.close());
    return { space: this.#spaceOf(database), marks: contents.marks, emptyBecause };
  }

  /** The last one first. */
  async release(): Promise<void> {
    for (let step = this.#undo.pop(); step !== undefined; step = this.#undo.pop()) await step();
  }

  /** Makes the directory, or checks that it is the one of `scope` and returns its version. */
  async #claim(): Promise<number | undefined> {
    const { directory, disk } = this.#parts;
    await checkNoDatabase(directory, disk);
    const names = await disk.names(this.#path);
    if (names.includes(MARKER)) {
      return checkMarker((await disk.read(join(this.#path, MARKER))).toString(), this.#scope, placeText(this.#path));
    }
    const foreign = names.find((name) => !isMarkerFile(name));
    if (foreign !== undefined) throw foreignError(this.#path, foreign);
    await disk.makeDirectory(this.#path);
    await this.#mark();
    return undefined;
  }

  async #mark(): Promise<void> {
    await this.#parts.disk.write(join(this.#path, MARKER), markerText(this.#scope));
  }

  /** Nothing is stored in it: if it is damaged, another one is as good. */
  async #openLock(): Promise<OwnLevelDatabase> {
    const { openLevel, disk } = this.#parts;
    const path = join(this.#path, "lock");
    try {
      return await openLevel(path, "lock");
    } catch (error) {
      if (!isDamage(error)) throw error;
      await disk.remove(path);
      return openLevel(path, "lock");
    }
  }

  async #openData(): Promise<Data> {
    const { disk, openLevel } = this.#parts;
    const path = join(this.#path, "data");
    const isThere = (await disk.names(path)).length > 0;
    const found = isThere ? await this.#openFound(path) : "the database is missing";
    if (typeof found !== "string") return found;
    await disk.remove(path);
    const database = await openLevel(path, "new");
    try {
      await writeContents(this.#spaceOf(database), this.#scope);
      const contents = await readContents(this.#spaceOf(database));
      if (this.#version === undefined) return { database, contents, emptyBecause: undefined };
      // Only now: as long as it says that it is older, it is made anew.
      if (this.#version < FORMAT_VERSION) await this.#mark();
      return { database, contents, emptyBecause: `directory=${quoted(path)} ${found}` };
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /** The database that is there, or why it cannot be used. */
  async #openFound(path: string): Promise<Data | string> {
    const { disk, clock, openLevel, verify } = this.#parts;
    const version = this.#version ?? FORMAT_VERSION;
    if (version < FORMAT_VERSION) return `an older version wrote it: version=${version} expected=${FORMAT_VERSION}`;
    const damage = await damageOf(path, verify, disk, clock);
    if (damage !== undefined) return damage;
    let database: OwnLevelDatabase;
    try {
      database = await openLevel(path, "existing");
    } catch (error) {
      if (isDamage(error)) return `LevelDB found damage: code=${levelCode(error)}`;
      throw error;
    }
    try {
      const contents = await readContents(this.#spaceOf(database));
      if (contents.unusable === undefined) return { database, contents, emptyBecause: undefined };
      await database.close();
      return contents.unusable;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  #spaceOf(database: OwnLevelDatabase): LevelSpace {
    return new LevelSpace(database, "", placeText(this.#path), true);
  }
}

interface Data {
  readonly database: OwnLevelDatabase;
  readonly contents: Contents;
  readonly emptyBecause: string | undefined;
}

/** @throws {StateBackendError} STATE_INCOMPATIBLE if `directory` is a database itself */
async function checkNoDatabase(directory: string, disk: Disk): Promise<void> {
  if ((await disk.names(directory)).includes("CURRENT")) throw foreignError(directory, "CURRENT");
}

function foreignError(path: string, found: string): StateBackendError {
  return new StateBackendError(
    "STATE_INCOMPATIBLE",
    `Working state has a directory of its own, and this one is something else's. directory=${quoted(path)} found=${quoted(found)}. ` +
      "Nothing was changed. Choose an empty directory, or one that does not exist.",
  );
}

function placeText(path: string): string {
  return `directory=${quoted(path)}`;
}
