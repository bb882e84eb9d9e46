/**
 * A store in a database of the user's own, among other things that may be in it.
 *
 * Invariants:
 * - The database is never closed, and nothing outside of the prefix is touched.
 * - A prefix under which something else is stored is refused.
 */

import { quoted, StateBackendError, type TaskScope } from "@tidemark/core";
import type { LevelDatabase } from "./level-database.js";
import { asStoreError, lockedError } from "./level-error.js";
import { LevelSpace } from "./level-space.js";
import { checkMarker } from "./marker.js";
import { FORMAT_RECORD, type OpenPlace, type Place, readContents, writeContents } from "./place.js";
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
    openHere.set(database, taken.add(below));
    try {
      const space = new LevelSpace(database, below, place);
      const { marks, emptyBecause } = await openSpace(space, scope);
      return {
        space,
        marks,
        ...(emptyBecause === undefined ? {} : { emptyBecause }),
        release: async () => void taken.delete(below),
      };
    } catch (error) {
      taken.delete(below);
      throw asStoreError(error, place);
    }
  };
}

async function openSpace(space: LevelSpace, scope: TaskScope): Promise<Pick<OpenPlace, "marks" | "emptyBecause">> {
  const { database, place } = space;
  if (database.status !== "open" && database.status !== "opening") {
    throw new StateBackendError(
      "UNAVAILABLE",
      `The database is not open. ${place} status=${quoted(database.status)}. Open it, and close it after the job.`,
    );
  }
  await database.open();
  const { format, marks, unusable } = await readContents(space);
  const isEmpty = format === undefined && (await isEmptyIn(space));
  if (isEmpty) {
    await writeContents(space, scope);
    return { marks };
  }
  if (format !== undefined) checkMarker(format, scope, place);
  else if (unusable === undefined || !(await space.hasRecord(FORMAT_RECORD))) throw foreignError(place);
  if (unusable === undefined) return { marks };
  await database.clear(space.range);
  await writeContents(space, scope);
  return { marks, emptyBecause: `${place} ${unusable}` };
}

async function isEmptyIn({ database, range }: LevelSpace): Promise<boolean> {
  const iterator = database.iterator({ ...range, highWaterMarkBytes: 1 });
  try {
    return (await iterator.nextv(1)).length === 0;
  } finally {
    await iterator.close();
  }
}

function foreignError(place: string): StateBackendError {
  return new StateBackendError(
    "STATE_INCOMPATIBLE",
    `Something else is stored where working state should be. ${place}. Nothing was changed. Choose another prefix, or another database.`,
  );
}
