/** Sorted entries as the changes and rows that a store takes. */

import type { Change, Delta, StoreEntry } from "../contracts/store.js";
import { type BinaryKey, readUint16 } from "../key/binary-key.js";
import { OPERATOR_GROUP } from "../key/key-groups.js";
import { type EntryBlock, type EntrySource, FLAG_CLEAR, FLAG_DELETE, FLAG_EXPIRES } from "../segment/entry-block.js";
import { mergeRuns } from "../segment/merge.js";
import type { Slicer } from "../segment/slicer.js";
import { storedValue } from "./store-entry.js";

/** So many changes make a chunk, at least. */
const CHUNK_CHANGES = 1000;

/** Opens sources anew each time, oldest first. */
export type OpenSources = (slicer: Slicer) => Promise<readonly EntrySource[]>;

/** The changes of all sources, the newest of each key. Operator state is not in stores. */
export function storeDelta(open: OpenSources, slicer: Slicer): Delta {
  return {
    async *[Symbol.asyncIterator]() {
      let chunk: Change[] = [];
      const merged = mergeRuns(await open(slicer), (block, at) => addChanges(chunk, block, at), {
        dropTombstones: false,
        unpacksAll: true,
      });
      for await (const _ of merged) {
        if (slicer.isDue()) await slicer.pause();
        if (chunk.length < CHUNK_CHANGES) continue;
        yield chunk;
        chunk = [];
      }
      if (chunk.length > 0) yield chunk;
    },
  };
}

/** The rows that all sources come to. Operator state is not in stores. */
export async function* storeRows(
  open: OpenSources,
  slicer: Slicer,
): AsyncGenerator<readonly StoreEntry[], void, undefined> {
  let chunk: StoreEntry[] = [];
  const add = (block: EntryBlock, at: number): void => {
    const key = block.keys[at] as BinaryKey;
    if (readUint16(key, 0) !== OPERATOR_GROUP) chunk.push({ key, value: valueAt(block, at) });
  };
  for await (const _ of mergeRuns(await open(slicer), add, { dropTombstones: true, unpacksAll: true })) {
    if (slicer.isDue()) await slicer.pause();
    if (chunk.length < CHUNK_CHANGES) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

function addChanges(chunk: Change[], block: EntryBlock, at: number): void {
  const key = block.keys[at] as BinaryKey;
  if (readUint16(key, 0) === OPERATOR_GROUP) return;
  const flags = block.flags[at] as number;
  if ((flags & FLAG_CLEAR) !== 0) chunk.push({ kind: "clear", prefix: key });
  if ((flags & FLAG_DELETE) === 0) chunk.push({ kind: "put", key, value: valueAt(block, at) });
  else if ((flags & FLAG_CLEAR) === 0) chunk.push({ kind: "delete", key });
}

function valueAt({ flags, bytes, starts, ends }: EntryBlock, at: number): Buffer {
  // Of the flags a store keeps what tells how to read the value.
  return storedValue((flags[at] as number) & FLAG_EXPIRES, bytes, [starts[at] as number, ends[at] as number]);
}
