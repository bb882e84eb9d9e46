/** Working state in LevelDB, on a local disk. */

export type {
  BytesOptions,
  LevelBatch,
  LevelDatabase,
  LevelIterator,
  TextOptions,
  TextRange,
} from "./level-database.js";
export { lsm, type LsmBackend } from "./lsm.js";
export type { LsmDatabaseOptions, LsmDirectoryOptions, LsmOptions, LsmTuning, Preset } from "./options.js";
export type { Verify } from "./files/database-files.js";
