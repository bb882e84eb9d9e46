/** How the memory of a store is dealt out: everything that a task keeps in memory comes out of one number. */

import { totalmem } from "node:os";
import { quoted } from "@tidemark/core";

/** Bytes for each part. */
export interface MemoryBudget {
  /** All of it. */
  readonly totalBytes: number;
  /** Changes that are in no completed checkpoint. */
  readonly memtableBytes: number;
  /** Decoded values that were read or written. */
  readonly cacheBytes: number;
  /** LevelDB's cache of blocks. */
  readonly blockCacheBytes: number;
  /** LevelDB's memory before a table is written. It has two of them: one is filled while the other is written. */
  readonly writeBufferBytes: number;
}

const MIB = 1024 * 1024;
const UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: MIB, gb: 1024 * MIB, tb: 1024 * 1024 * MIB };
const SIZE = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb|tb)$/i;
/** Below, LevelDB writes a table for every few hundred changes. */
const TOTAL_BYTES_MIN = 16 * MIB;
const WRITE_BUFFER_BYTES_MIN = MIB;
/** More makes its tables so large that compaction stalls. */
const WRITE_BUFFER_BYTES_MAX = 64 * MIB;
const TABLE_BYTES_MIN = 2 * MIB;
const TABLE_BYTES_MAX = 32 * MIB;

/**
 * `memory` dealt out: a half for changes, a quarter for decoded values, the rest for LevelDB.
 * @param memory "512mb", or a fraction of the memory of this machine
 * @throws {RangeError} if it is less than 16 MiB, more than the machine has, or no size
 */
export function memoryBudget(memory: string | number, machineBytes = totalmem()): MemoryBudget {
  const totalBytes = Math.floor(bytesOf(memory, machineBytes));
  if (!(totalBytes >= TOTAL_BYTES_MIN && totalBytes <= machineBytes)) {
    throw new RangeError(
      `Memory of a store out of range. memory=${shown(memory)} bytes=${totalBytes} expected=${TOTAL_BYTES_MIN} to ${machineBytes}. ` +
        'Give at least "16mb" per task, and no more than the machine has.',
    );
  }
  const writeBufferBytes = between(totalBytes / 16, WRITE_BUFFER_BYTES_MIN, WRITE_BUFFER_BYTES_MAX);
  const memtableBytes = Math.floor(totalBytes / 2);
  const cacheBytes = Math.floor(totalBytes / 4);
  const blockCacheBytes = totalBytes - memtableBytes - cacheBytes - 2 * writeBufferBytes;
  return Object.freeze({ totalBytes, memtableBytes, cacheBytes, blockCacheBytes, writeBufferBytes });
}

/**
 * Bytes of a table, for a state that is some times as large as `budget`: so small that what is merged into the rest is a small part of it, and so large that
 * there are not too many.
 */
export function tableBytes({ totalBytes }: MemoryBudget): number {
  return between(totalBytes / 32, TABLE_BYTES_MIN, TABLE_BYTES_MAX);
}

function between(bytes: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, Math.floor(bytes)));
}

function bytesOf(memory: string | number, machineBytes: number): number {
  if (typeof memory === "number") {
    if (memory > 0 && memory <= 1) return memory * machineBytes;
    throw new RangeError(
      `Memory of a store out of range. memory=${memory} expected=a fraction above 0 and up to 1. For bytes give text: "512mb".`,
    );
  }
  const [, count, unit] = SIZE.exec(String(memory)) ?? [];
  if (count === undefined || unit === undefined) {
    throw new RangeError(
      `Memory of a store is no size. memory=${shown(memory)} expected="512mb" or a fraction. Units are b, kb, mb, gb, tb.`,
    );
  }
  return Number(count) * (UNITS[unit.toLowerCase()] as number);
}

function shown(memory: string | number): string {
  return typeof memory === "number" ? String(memory) : quoted(String(memory));
}
