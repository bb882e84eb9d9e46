/** The backend whose working state is in LevelDB. */

import { join } from "node:path";
import { type Backend, type CheckpointStorage, type StoreProvider, systemClock } from "@tidemark/core";
import { directory as checkpointDirectory } from "@tidemark/filesystem";
import { databasePlace } from "./database-place.js";
import { directoryPlace } from "./directory-place.js";
import { nodeDisk } from "./disk.js";
import type { Verify } from "./files/database-files.js";
import { type EngineOptions, levelOpener } from "./level-module.js";
import { LevelStore } from "./level-store.js";
import { type LsmDatabaseOptions, type LsmDirectoryOptions, type LsmOptions, lsmSettings } from "./options.js";
import type { Place } from "./place.js";

const PREFIX = "!tidemark!";

/** A backend that surely has stores. */
export interface LsmBackend extends Backend<"point"> {
  readonly store: StoreProvider;
}

/**
 * Working state in LevelDB: in a directory of its own, or in a database of yours. With a directory checkpoints go to a directory beside it
 * unless another place is given; with a database one has to be given.
 * @throws {TypeError} for an unknown option, or not exactly one of `directory` and `database`
 * @throws {RangeError} for a size out of range, or a memory too small for its parts
 */
export function lsm(options: LsmOptions): LsmBackend {
  const { budget, engine, verify } = lsmSettings(options);
  const { place, checkpoints } =
    options.directory === undefined ? inDatabase(options) : inDirectory(options, engine, verify);
  const store = Object.freeze({
    cacheBytes: budget.cacheBytes,
    memtableBytes: budget.memtableBytes,
    create: () => new LevelStore(place, options.onRebuild),
  });
  return Object.freeze({ name: "lsm", sync: "point", checkpoints, store });
}

interface Parts {
  readonly place: Place;
  readonly checkpoints: CheckpointStorage;
}

function inDirectory({ directory, checkpoints }: LsmDirectoryOptions, engine: EngineOptions, verify: Verify): Parts {
  const openLevel = levelOpener(engine);
  return {
    place: directoryPlace({ directory, verify, openLevel, disk: nodeDisk, clock: systemClock }),
    checkpoints: checkpoints ?? checkpointDirectory(join(directory, "checkpoints")),
  };
}

function inDatabase({ database, prefix = PREFIX, checkpoints }: LsmDatabaseOptions): Parts {
  return { place: databasePlace(database, prefix), checkpoints };
}
