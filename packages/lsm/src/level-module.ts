/** LevelDB itself: from whichever of its two packages is installed. */

import { StateBackendError } from "@tidemark/core";
import type { OwnLevelDatabase } from "./level-database.js";

/** Options of LevelDB that a store sets. */
export interface EngineOptions {
  readonly cacheSize: number;
  readonly writeBufferSize: number;
  readonly blockSize: number;
  readonly maxFileSize: number;
  readonly maxOpenFiles: number;
  readonly compression: boolean;
}

/** `new` must not exist, `existing` must, a `lock` may. */
export type OpenLevel = (path: string, what: "new" | "existing" | "lock") => Promise<OwnLevelDatabase>;

type LevelConstructor = new (path: string, options: object) => OwnLevelDatabase;

/** A lock holds nothing: the least that LevelDB takes. */
const LOCK_OPTIONS: EngineOptions = Object.freeze({
  cacheSize: 0,
  writeBufferSize: 64 * 1024,
  blockSize: 4096,
  maxFileSize: 1024 * 1024,
  maxOpenFiles: 64,
  compression: false,
});

export function levelOpener(options: EngineOptions): OpenLevel {
  return async (path, what) => {
    const Level = await levelConstructor();
    const database = new Level(path, {
      ...(what === "lock" ? LOCK_OPTIONS : options),
      keyEncoding: "buffer",
      valueEncoding: "buffer",
      createIfMissing: what !== "existing",
      errorIfExists: what === "new",
    });
    await database.open();
    return database;
  };
}

async function levelConstructor(): Promise<LevelConstructor> {
  try {
    const { ClassicLevel } = await import("classic-level");
    return ClassicLevel;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw missingError(error);
  }
  try {
    const { Level } = await import("level");
    return Level;
  } catch (error) {
    throw missingError(error);
  }
}

function missingError(cause: unknown): StateBackendError {
  return new StateBackendError(
    "UNAVAILABLE",
    "LevelDB cannot be loaded. packages=classic-level,level. Install one of them: npm install classic-level.",
    { cause },
  );
}
