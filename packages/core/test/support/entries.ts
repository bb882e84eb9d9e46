/** Entries as plain objects, and segments made of them. */

import type { Compression } from "../../src/segment/format.js";
import type { CheckpointStorage } from "../../src/index.js";
import { type BinaryKey, joinKeys, uint16Key } from "../../src/key/binary-key.js";
import { KeyGroups } from "../../src/key/key-groups.js";
import type { EntryBlock, EntrySource } from "../../src/segment/entry-block.js";
import { type SegmentAddress, SegmentReader } from "../../src/segment/segment-reader.js";
import { SegmentWriter, type WrittenSegment } from "../../src/segment/segment-writer.js";

/** One entry, its value as text of one byte per character. */
export interface PlainEntry {
  readonly key: BinaryKey;
  readonly flags: number;
  readonly value: string;
}

/** A composite key: key group, state id, and the rest, one byte per character. */
export function keyIn(group: number, stateId: number, rest: string): BinaryKey {
  return joinKeys(joinKeys(uint16Key(group), uint16Key(stateId)), rest as BinaryKey);
}

/** `entries` as one block. */
export function blockOf(entries: readonly PlainEntry[]): EntryBlock {
  const starts: number[] = [];
  const ends: number[] = [];
  let length = 0;
  for (const { value } of entries) {
    starts.push(length);
    length += value.length;
    ends.push(length);
  }
  return {
    count: entries.length,
    keys: entries.map(({ key }) => key),
    flags: entries.map(({ flags }) => flags),
    bytes: Buffer.from(entries.map(({ value }) => value).join(""), "latin1"),
    starts,
    ends,
  };
}

/** Entry `at` of a block. */
export function entryAt(block: EntryBlock, at: number): PlainEntry {
  return {
    key: block.keys[at] as BinaryKey,
    flags: block.flags[at] as number,
    value: block.bytes.toString("latin1", block.starts[at], block.ends[at]),
  };
}

/** `entries`, in blocks of `size`. */
export async function* blocksOf(
  entries: readonly PlainEntry[],
  size: number,
): EntrySource & AsyncGenerator<EntryBlock> {
  for (let at = 0; at < entries.length; at += size) yield blockOf(entries.slice(at, at + size));
}

/** All entries of a source. */
export async function entriesOf(source: EntrySource): Promise<PlainEntry[]> {
  const entries: PlainEntry[] = [];
  for await (const block of source) for (let at = 0; at < block.count; at++) entries.push(entryAt(block, at));
  return entries;
}

export interface MadeSegment {
  readonly bytes: Buffer;
  readonly written: WrittenSegment;
}

/** Writes a segment, as an upload does. */
export function segmentOf(
  entries: readonly PlainEntry[],
  identity = "segment",
  compression: Compression = "none",
): MadeSegment {
  const writer = new SegmentWriter({ identity, compression, codecVersions: new Map([[1, 7]]) });
  const chunks: Uint8Array[] = [];
  const block = blockOf(entries);
  for (let at = 0; at < entries.length; at++) {
    writer.append(block, at);
    const chunk = writer.drain();
    if (chunk !== undefined) chunks.push(chunk);
  }
  const { last, written } = writer.finish();
  return { bytes: Buffer.concat([...chunks, last]), written };
}

/** What a manifest says of a segment. */
export function addressOf({ written }: MadeSegment, identity = "segment", name = identity): SegmentAddress {
  const { bytes, indexBytes, indexSha256 } = written;
  return { name, identity, bytes, indexBytes, indexSha256 };
}

export const ALL_GROUPS = KeyGroups.of([{ first: 0, last: 0xffff }]);

/** Opens a segment and reads the entries of some key groups. */
export async function readSegment(
  storage: CheckpointStorage,
  address: SegmentAddress,
  groups = ALL_GROUPS,
): Promise<PlainEntry[]> {
  const reader = await SegmentReader.open(storage, address);
  return entriesOf(reader.entries(groups));
}
