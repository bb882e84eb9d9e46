/** Fills tables from the segments of a checkpoint. */

import type { SegmentRef } from "../checkpoint/manifest.js";
import { type CodecKnowledge, openEntries, type SegmentPlace } from "../checkpoint/task-chain.js";
import { ByteReader } from "../bytes/byte-reader.js";
import type { Clock } from "../contracts/clock.js";
import { StateBackendError } from "../errors.js";
import { readUint16 } from "../key/binary-key.js";
import type { EntryBlock, EntrySource } from "../segment/entry-block.js";
import { Slicer } from "../segment/slicer.js";
import type { StateTable } from "../table/state-table.js";

const EMPTY = Buffer.alloc(0);

export interface LoadRequest {
  readonly place: SegmentPlace;
  /** Oldest first. */
  readonly segments: readonly SegmentRef[];
  /** Entries of other states are passed over. */
  readonly tables: ReadonlyMap<number, StateTable>;
  readonly clock: Clock;
  /** Needed if a segment has values in a former codec. */
  readonly codecs?: CodecKnowledge;
}

/**
 * Loads every entry, oldest segment first, so that the newest wins. If it fails, the tables are of no use.
 * @throws {StateBackendError} CHECKPOINT_CORRUPT if a segment is missing or damaged
 */
export async function loadTables({ place, segments, tables, clock, codecs }: LoadRequest): Promise<void> {
  const slicer = new Slicer(clock);
  for (const ref of segments) await loadEntries(await openEntries(place, ref, codecs), tables, slicer);
}

/** Loads the entries of one source. */
export async function loadEntries(source: EntrySource, tables: LoadRequest["tables"], slicer: Slicer): Promise<void> {
  const value = new ByteReader(EMPTY);
  for await (const block of source) {
    loadBlock(block, tables, value);
    if (slicer.isDue()) await slicer.pause();
  }
}

function loadBlock(block: EntryBlock, tables: ReadonlyMap<number, StateTable>, value: ByteReader): void {
  let table: StateTable | undefined;
  let stateId = -1;
  for (let i = 0; i < block.count; i++) {
    const key = block.keys[i] as EntryBlock["keys"][number];
    const id = readUint16(key, 2);
    if (id !== stateId) {
      stateId = id;
      table = tables.get(id);
    }
    if (table === undefined) continue;
    value.reset(block.bytes, block.starts[i], block.ends[i]);
    table.load(key, block.flags[i] as number, value);
    if (value.remaining !== 0) throw trailingBytes(stateId, value.remaining);
  }
}

function trailingBytes(stateId: number, remaining: number): StateBackendError {
  return new StateBackendError(
    "CHECKPOINT_CORRUPT",
    `A value has bytes behind its end. state=${stateId} bytes=${remaining}. Restore another retained checkpoint, and check that its codec reads what it wrote.`,
  );
}
