/**
 * Reads LevelDB's logs: the write-ahead log and the manifest.
 *
 * Invariants:
 * - What is read is a prefix of what was written. LevelDB itself goes on behind a damaged record; that is a `Damage` here.
 *
 * @see https://github.com/google/leveldb/blob/main/doc/log_format.md
 */

import { Damage } from "./byte-cursor.js";
import { crc32c, masked } from "./crc32c.js";

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const FULL = 1;
const FIRST = 2;
const LAST = 4;

export interface LogRecords {
  readonly records: readonly Buffer[];
  /** Whether the file ends within a record, as after the death of a writer. */
  readonly isCut: boolean;
}

/** @throws {Damage} if anything but the end is missing */
export function logRecords(file: Buffer): LogRecords {
  const records: Buffer[] = [];
  let parts: Buffer[] | undefined;
  let at = 0;
  while (at < file.length) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (left < HEADER_BYTES) {
      checkPadding(file.subarray(at, at + left));
      at += left;
      continue;
    }
    const fragment = fragmentAt(file, at, left);
    if (fragment === undefined) return { records, isCut: true };
    const { type, data } = fragment;
    if ((type === FULL || type === FIRST) !== (parts === undefined)) {
      throw new Damage("a log record has no beginning or no end");
    }
    parts = [...(parts ?? []), data];
    if (type === FULL || type === LAST) {
      records.push(parts.length === 1 ? data : Buffer.concat(parts));
      parts = undefined;
    }
    at += HEADER_BYTES + data.length;
  }
  return { records, isCut: parts !== undefined };
}

/** `undefined` if the file ends within it. */
function fragmentAt(
  file: Buffer,
  at: number,
  left: number,
): { readonly type: number; readonly data: Buffer } | undefined {
  if (at + HEADER_BYTES > file.length) return undefined;
  const length = file.readUInt16LE(at + 4);
  const type = file.readUInt8(at + 6);
  const end = at + HEADER_BYTES + length;
  if (HEADER_BYTES + length > left) throw new Damage("a log record is longer than its block");
  if (end > file.length) return undefined;
  if (file.readUInt32LE(at) !== masked(crc32c(file, at + 6, end))) throw new Damage("a log record fails its checksum");
  if (type < FULL || type > LAST) throw new Damage("a log record is of no known kind");
  return { type, data: file.subarray(at + HEADER_BYTES, end) };
}

function checkPadding(bytes: Buffer): void {
  if (bytes.some((byte) => byte !== 0)) throw new Damage("a log has something between its blocks");
}
