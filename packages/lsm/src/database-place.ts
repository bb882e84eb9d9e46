/**
 * A store in a database of the user's own, among other things that may be in it.
 *
 * Invariants:
 * - The database is never closed, and nothing outside of the prefix is touched.
 * - A prefix under which something else is stored is refused.
 */

import { quoted, StateBackendError, type TaskScope } from "@tidemark/core";
import { GroupMarks } from "./group-marks.js";
import type { LevelDatabase } from "./level-database.js";
import { asStoreError, lockedError } from "./level-error.js";
import { LevelSpace } from "./level-space.js";
import { checkMarker } from "./marker.js";
import { type Contents, FORMAT_RECORD, type OpenPlace, type Place, readContents, writeContents } from "./place.js";
import { scopePath } from "./scope-path.js";

/** What is open of each database. */
const openHere = new WeakMap<LevelDatabase, Set<string>>();

export function databasePlace(database: LevelDatabase, prefix: string): Place {
  return async (scope) => {
    // Parts of the path have neither `/` nor `!`, so that no store's prefix begins with another's.
    const below = `${prefix}${scopePath(scope).join("/")}!`;
    const place = `prefix=${quoted(below)}`;
    const taken = openHere.get(database) ?? new Set();
    if (taken.has(below)) throw lockedError(place);
    const space = new LevelSpace(database, below, place);
    openHere.set(database, taken.add(below));
    const release = async (): Promise<void> => void taken.delete(below);
    try {
      const contents = await explained(place, () => readPlace(space, scope));
      return { open: () => explained(place, () => openSpace(space, scope, contents)), release };
    } catch (error) {
      await release();
      throw error;
    }
  };
}

async function explained<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asStoreError(error, place);
  }
}

/** What is there; `undefined` if there is nothing. */
async function readPlace(space: LevelSpace, scope: TaskScope): Promise<Contents | undefined> {
  const { database, place } = space;
  if (database.status !== "open" && database.status !== "opening") {
    throw new StateBackendError(
      "UNAVAILABLE",
      `The database is not open. ${place} status=${quoted(database.status)}. Open it, and close it after the job.`,
    );
  }
  await database.open();
  const contents = await readContents(space);
  if (contents.format !== undefined) checkMarker(contents.format, scope, place);
  else if (await isEmptyIn(space)) return undefined;
  else if (!(await space.hasRecord(FORMAT_RECORD))) throw foreignError(place);
  return contents;
}

async function openSpace(space: LevelSpace, scope: TaskScope, contents: Contents | undefined): Promise<OpenPlace> {
  if (contents !== undefined && contents.unusable === undefined) return { space, marks: contents.marks };
  if (contents !== undefined) await space.database.clear(space.range);
  await writeContents(space, scope);
  const emptyBecause = contents === undefined ? undefined : `${space.place} ${contents.unusable}`;
  return { space, marks: GroupMarks.none, emptyBecause };
}

async function isEmptyIn(space: LevelSpace): Promise<boolean> {
  return (await space.keysIn(space.range, 1)).length === 0;
}

function foreignError(place: string): StateBackendError {
  return new StateBackendError(
    "STATE_INCOMPATIBLE",
    `Something else is stored where working state should be. ${place}. Nothing was changed. Choose another prefix, or another database.`,
  );
}
