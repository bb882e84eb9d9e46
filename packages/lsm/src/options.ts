/** What can be set of `lsm`, checked, with what is not set filled in. */

import { type CheckpointStorage, quoted } from "@tidemark/core";
import type { Verify } from "./files/database-files.js";
import type { LevelDatabase } from "./level-database.js";
import type { EngineOptions } from "./level-module.js";
import { type MemoryBudget, memoryBudget, tableBytes } from "./memory-budget.js";

/** Settings for a kind of machine; each option that is given by itself goes before. */
export type Preset = "ssd" | "spinning-disk" | "low-memory";

/** Names are those of RocksDB; docs of the package say what became of the others. */
export interface LsmTuning {
  /** @defaultValue "ssd" */
  readonly preset?: Preset;
  /**
   * Memory of each task for everything: changes in no checkpoint, decoded values, LevelDB. A size ("512mb"), or a fraction of the machine's.
   * @defaultValue "256mb"; "32mb" with the preset "low-memory"
   */
  readonly memory?: string | number;
  /** Bytes that LevelDB collects before it writes a table; it has two such buffers. @defaultValue 1/16 of `memory`, 1 to 64 MiB */
  readonly writeBufferSize?: number;
  /** Bytes of LevelDB's cache of uncompressed blocks. @defaultValue what the other parts leave of `memory` */
  readonly blockCacheSize?: number;
  /** Bytes of a block before compression: the unit that is read. @defaultValue 4 KiB; 64 KiB with "spinning-disk" */
  readonly blockSize?: number;
  /** Bytes of a table. @defaultValue 1/32 of `memory`, 2 to 32 MiB; 32 MiB with "spinning-disk" */
  readonly targetFileSizeBase?: number;
  /** @defaultValue 1,000; 100 with "low-memory" */
  readonly maxOpenFiles?: number;
  /** Snappy, or nothing. @defaultValue true */
  readonly compression?: boolean;
  /**
   * What is checked when a directory is opened: the checksums of all tables (about a second per gigabyte), or of the logs alone. Values are checked at
   * every read in either case.
   * @defaultValue "everything"
   */
  readonly verify?: Verify;
  /**
   * Is told why what a task had stored is not used, but rebuilt from the checkpoint: damage, mostly. It should not throw.
   * @defaultValue nobody is told
   */
  readonly onRebuild?: (reason: string) => void;
}

/** Working state in a directory that Tidemark makes, and has for itself. */
export interface LsmDirectoryOptions extends LsmTuning {
  readonly directory: string;
  /** @defaultValue the directory `checkpoints` beside the working state */
  readonly checkpoints?: CheckpointStorage;
  readonly database?: undefined;
}

/** Working state in a database that you opened, and close after the job. LevelDB's own settings are then yours. */
export interface LsmDatabaseOptions extends Pick<LsmTuning, "preset" | "memory" | "onRebuild"> {
  readonly database: LevelDatabase;
  /** Where checkpoints go when the job names no place. */
  readonly checkpoints: CheckpointStorage;
  /**
   * What all keys begin with: latin1 text.
   * @defaultValue "!tidemark!"
   */
  readonly prefix?: string;
  readonly directory?: undefined;
}

export type LsmOptions = LsmDirectoryOptions | LsmDatabaseOptions;

export interface LsmSettings {
  readonly budget: MemoryBudget;
  readonly engine: EngineOptions;
  readonly verify: Verify;
}

interface PresetSettings {
  readonly memory: string;
  readonly blockSize: number;
  /** If it is not what `memory` suggests. */
  readonly targetFileSizeBase?: number;
  readonly maxOpenFiles: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const PRESETS: Readonly<Record<Preset, PresetSettings>> = Object.freeze({
  ssd: { memory: "256mb", blockSize: 4 * KIB, maxOpenFiles: 1_000 },
  "spinning-disk": { memory: "256mb", blockSize: 64 * KIB, targetFileSizeBase: 32 * MIB, maxOpenFiles: 1_000 },
  "low-memory": { memory: "32mb", blockSize: 4 * KIB, maxOpenFiles: 100 },
});

const TUNING_NAMES = [
  "preset",
  "memory",
  "writeBufferSize",
  "blockCacheSize",
  "blockSize",
  "targetFileSizeBase",
  "maxOpenFiles",
  "compression",
  "verify",
  "onRebuild",
];
/** What is accepted with a directory, and with a database. */
const NAMES = {
  directory: new Set(["directory", "database", "checkpoints", ...TUNING_NAMES]),
  database: new Set(["directory", "database", "checkpoints", "prefix", "preset", "memory", "onRebuild"]),
};

/**
 * `options`, checked and completed.
 * @throws {TypeError} for an unknown option or choice, or not exactly one of directory and database
 * @throws {RangeError} for a number out of range, or parts that do not fit `memory`
 */
export function lsmSettings(options: LsmOptions): LsmSettings {
  checkNames(options);
  const tuning: LsmTuning = options;
  const preset = PRESETS[choice("preset", tuning.preset ?? "ssd", Object.keys(PRESETS) as Preset[])];
  if (tuning.onRebuild !== undefined && typeof tuning.onRebuild !== "function") {
    throw new TypeError(`onRebuild is no function. received=${typeof tuning.onRebuild}.`);
  }
  const verify = choice("verify", tuning.verify ?? "everything", ["everything", "logs"]);
  const budget = withParts(memoryBudget(tuning.memory ?? preset.memory), tuning);
  if (tuning.compression !== undefined && typeof tuning.compression !== "boolean") {
    throw new TypeError(
      `compression is no boolean. received=${String(tuning.compression)}. LevelDB has Snappy (true), or nothing (false).`,
    );
  }
  const fileBytes = tuning.targetFileSizeBase ?? preset.targetFileSizeBase ?? tableBytes(budget);
  const engine: EngineOptions = {
    cacheSize: budget.blockCacheBytes,
    writeBufferSize: budget.writeBufferBytes,
    blockSize: inRange("blockSize", tuning.blockSize ?? preset.blockSize, KIB, 4 * MIB),
    maxFileSize: inRange("targetFileSizeBase", fileBytes, MIB, 1024 * MIB),
    maxOpenFiles: inRange("maxOpenFiles", tuning.maxOpenFiles ?? preset.maxOpenFiles, 74, 50_000),
    compression: tuning.compression ?? true,
  };
  return Object.freeze({ budget, engine: Object.freeze(engine), verify });
}

/** Parts that are given by themselves take from what the cache of blocks would have; the sum stays. */
function withParts(budget: MemoryBudget, { writeBufferSize, blockCacheSize }: LsmTuning): MemoryBudget {
  const { totalBytes } = budget;
  const writeBufferBytes = inRange("writeBufferSize", writeBufferSize ?? budget.writeBufferBytes, 64 * KIB, 1024 * MIB);
  const rest = totalBytes - budget.memtableBytes - budget.cacheBytes - 2 * writeBufferBytes;
  const blockCacheBytes = inRange("blockCacheSize", blockCacheSize ?? Math.max(rest, 0), 0, totalBytes);
  const left = totalBytes - 2 * writeBufferBytes - blockCacheBytes;
  if (left < totalBytes / 4) {
    throw new RangeError(
      `Memory of a store is too small for its parts. memory=${totalBytes} writeBufferSize=2x${writeBufferBytes} blockCacheSize=${blockCacheBytes}. ` +
        "A quarter has to be left for changes and decoded values: raise memory, or lower the parts.",
    );
  }
  const memtableBytes = Math.min(budget.memtableBytes, Math.floor((left * 2) / 3));
  const cacheBytes = left - memtableBytes;
  return { totalBytes, memtableBytes, cacheBytes, blockCacheBytes, writeBufferBytes };
}

function checkNames(options: LsmOptions): void {
  if ((options.directory === undefined) === (options.database === undefined)) {
    throw new TypeError("lsm takes either a directory or a database. Give one of them.");
  }
  const names = options.directory === undefined ? NAMES.database : NAMES.directory;
  const directory: unknown = options.directory;
  if (directory !== undefined && (typeof directory !== "string" || directory === "")) {
    throw new TypeError(
      `directory is no path. received=${directory === "" ? "empty" : typeof directory}. Give the path of a directory, as text.`,
    );
  }
  if (options.database !== undefined) checkDatabase(options);
  const unknown = Object.keys(options).find((name) => !names.has(name));
  if (unknown === undefined) return;
  throw new TypeError(`lsm has no such option here. name=${quoted(unknown)} expected=${[...names].join(",")}.`);
}

/** Found now, not when the first checkpoint is taken. */
function checkDatabase({ database, checkpoints, prefix }: LsmDatabaseOptions): void {
  if (typeof database.getMany !== "function" || typeof database.iterator !== "function") {
    throw new TypeError(
      "database is not one of abstract-level 3. Give a Level of the package level 10, or a ClassicLevel of classic-level 3.",
    );
  }
  if (database.supports.getSync !== true) {
    throw new TypeError(
      "database cannot be read without a promise. Give a Level of the package level 10, or a ClassicLevel of classic-level 3.",
    );
  }
  if (checkpoints === undefined) {
    throw new TypeError(
      "checkpoints is missing. With a database, say where checkpoints go: checkpoints: directory(path).",
    );
  }
  // Above U+00FF a character is more than a byte.
  if (prefix !== undefined && Buffer.from(prefix, "latin1").toString("latin1") !== prefix) {
    throw new TypeError(`prefix is not latin1 text. received=${quoted(prefix)}. Use characters up to U+00FF.`);
  }
}

function choice<Choice extends string>(name: string, value: Choice, choices: readonly Choice[]): Choice {
  if (choices.includes(value)) return value;
  throw new TypeError(`lsm has no such ${name}. received=${quoted(String(value))} expected=${choices.join(",")}.`);
}

function inRange(name: string, value: number, min: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`${name} out of range. received=${String(value)} expected=an integer from ${min} to ${max}.`);
}
