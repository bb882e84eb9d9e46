/**
 * Judges the files of a LevelDB database before it is opened. LevelDB opens over most damage, and goes on without what it could not read.
 *
 * Invariants:
 * - Whoever calls has the database for itself: nothing is written meanwhile.
 * - A database that passes holds a prefix of the writes that were made to it: all tables that its manifest names, whole, and of the logs
 *   everything up to a point.
 */

import { join } from "node:path";
import type { Clock } from "@tidemark/core";
import { type Disk, isMissing } from "../disk.js";
import { Damage } from "./byte-cursor.js";
import { logRecords } from "./log-file.js";
import { type Manifest, readManifest } from "./manifest-file.js";
import { checkedBlocks } from "./table-file.js";

/** About a millisecond of the event loop. */
const SLICE_BYTES = 1024 * 1024;
const BATCH_HEADER_BYTES = 12;

type ReadingDisk = Pick<Disk, "read" | "sizes">;

interface Work {
  readonly directory: string;
  readonly disk: ReadingDisk;
  readonly clock: Clock;
}

/** `everything`, or all but the tables, which are most of it. */
export type Verify = "everything" | "logs";

/** Why the database in `directory` cannot be trusted; `undefined` if it can. */
export async function damageOf(
  directory: string,
  verify: Verify,
  disk: ReadingDisk,
  clock: Clock,
): Promise<string | undefined> {
  const work = { directory, disk, clock };
  try {
    const manifest = await currentManifest(work);
    await checkTables(work, manifest, verify);
    await checkLogs(work, manifest);
    return undefined;
  } catch (error) {
    if (error instanceof Damage) return error.message;
    throw error;
  }
}

async function currentManifest(work: Work): Promise<Manifest> {
  const current = (await read(work, "CURRENT")).toString("latin1");
  const name = /^(MANIFEST-\d+)\n$/.exec(current)?.[1];
  if (name === undefined) throw new Damage("file=CURRENT names no manifest");
  return inFile(name, async () => readManifest(await read(work, name)));
}

async function checkTables(work: Work, { tables }: Manifest, verify: Verify): Promise<void> {
  const sizes = await work.disk.sizes(work.directory);
  for (const [number, size] of tables) {
    const name = [`${padded(number)}.ldb`, `${padded(number)}.sst`].find((candidate) => sizes.has(candidate));
    if (name === undefined) throw new Damage(`file=${padded(number)}.ldb is missing`);
    await inFile(name, async () => {
      if (sizes.get(name) !== size) throw new Damage("a table has another size than when it was written");
      if (verify === "everything") await checkTable(work, name);
    });
  }
}

async function checkTable(work: Work, name: string): Promise<void> {
  let unyielded = 0;
  for (const bytes of checkedBlocks(await read(work, name))) {
    unyielded += bytes;
    if (unyielded < SLICE_BYTES) continue;
    unyielded = 0;
    await work.clock.yield();
  }
}

/** Writes are numbered without gaps, also from one log to the next. */
async function checkLogs(work: Work, { logNumber, previousLogNumber, lastSequence }: Manifest): Promise<void> {
  const numbers = [...(await work.disk.sizes(work.directory)).keys()]
    .flatMap((name) => /^(\d+)\.log$/.exec(name)?.[1] ?? [])
    .map(Number)
    .filter((number) => number >= logNumber || (number === previousLogNumber && number !== 0))
    .sort((a, b) => a - b);
  if (!numbers.includes(logNumber)) throw new Damage(`file=${padded(logNumber)}.log is missing`);
  let next: number | undefined;
  for (const number of numbers) {
    const name = `${padded(number)}.log`;
    next = await inFile(name, async () => checkLog(await read(work, name), next, lastSequence + 1));
  }
}

/** The number of the write that is to follow. The first one may be in the tables already. */
function checkLog(file: Buffer, expected: number | undefined, firstMax: number): number | undefined {
  let next = expected;
  for (const record of logRecords(file).records) {
    if (record.length < BATCH_HEADER_BYTES) throw new Damage("a log record is too short");
    const sequence = Number(record.readBigUInt64LE(0));
    if (next === undefined ? sequence > firstMax : sequence !== next) throw new Damage("writes are missing from a log");
    next = sequence + record.readUInt32LE(8);
  }
  return next;
}

async function read({ directory, disk }: Work, name: string): Promise<Buffer> {
  try {
    return await disk.read(join(directory, name));
  } catch (error) {
    if (isMissing(error)) throw new Damage(`file=${name} is missing`);
    throw error;
  }
}

/** Adds the name of the file to damage that `work` finds. */
async function inFile<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Damage && !error.message.startsWith("file=")) {
      throw new Damage(`file=${name}: ${error.message}`);
    }
    throw error;
  }
}

function padded(number: number): string {
  return String(number).padStart(6, "0");
}
