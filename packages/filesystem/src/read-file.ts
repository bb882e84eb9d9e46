/**
 * Reading files in chunks.
 *
 * Invariants:
 * - A chunk has exactly the bytes it should have, or there is an error: never a short one, never a stale buffer.
 */

import { quoted, StateBackendError } from "@tidemark/core";
import type { ByteRange } from "@tidemark/core";
import type { Files, ReadableFile } from "./files.js";
import { attempt } from "./io-error.js";
import type { Attempt } from "./io-error.js";

/** Large enough that the disk and not the calls set the pace, small enough for many reads at once. */
const CHUNK_BYTES = 512 * 1024;

/** @throws {RangeError} unless `range` is one */
export function requireRange({ start, end }: ByteRange): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start <= end) return;
  throw new RangeError(`Range refused. start=${start} end=${end}. Use integers with 0 <= start <= end.`);
}

/**
 * The bytes of `range`, each chunk in a buffer of its own.
 * @throws {StateBackendError} CHECKPOINT_CORRUPT if the file ends before the range does
 */
export async function* chunksOf(file: ReadableFile, range: ByteRange, what: Attempt): AsyncGenerator<Uint8Array, void> {
  // Known before the first byte is handed out, so that the caller need not take back what it has used.
  if (file.status.bytes < range.end) throw tooShort(what.path, file.status.bytes, range.end);
  for (let position = range.start; position < range.end; position += CHUNK_BYTES) {
    const bytes = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, range.end - position));
    const filled = await attempt(what, () => fill(file, bytes, position));
    if (filled < bytes.length) throw tooShort(what.path, position + filled, range.end);
    yield bytes;
  }
}

/** True if the two files have the same bytes. */
export async function isSameContent(files: Files, path: string, otherPath: string): Promise<boolean> {
  const file = await files.open(path);
  try {
    const other = await files.open(otherPath);
    try {
      return file.status.bytes === other.status.bytes && (await isSameUpTo(file, other, file.status.bytes));
    } finally {
      await other.close();
    }
  } finally {
    await file.close();
  }
}

async function isSameUpTo(file: ReadableFile, other: ReadableFile, end: number): Promise<boolean> {
  const buffers = [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)] as const;
  for (let position = 0; position < end; position += CHUNK_BYTES) {
    const length = Math.min(CHUNK_BYTES, end - position);
    const [ours, theirs] = [buffers[0].subarray(0, length), buffers[1].subarray(0, length)];
    if ((await fill(file, ours, position)) < length || (await fill(other, theirs, position)) < length) return false;
    if (!ours.equals(theirs)) return false;
  }
  return true;
}

/** Reads until `buffer` is full or the file ends; resolves to how many bytes that were. */
async function fill(file: ReadableFile, buffer: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < buffer.length) {
    const read = await file.read(buffer.subarray(done), position + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}

function tooShort(path: string, bytes: number, end: number): StateBackendError {
  return new StateBackendError(
    "CHECKPOINT_CORRUPT",
    `Object ends before the range does. path=${quoted(path)} bytes=${bytes} end=${end}. Restore an older checkpoint.`,
  );
}
