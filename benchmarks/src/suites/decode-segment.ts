/** A segment into a `Map`, with nothing checked: the floor of `restore`. By docs/formats.md#segment. */

import { type BinaryKey, ByteReader, type Codec, string } from "@tidemark/core";

const HEADER_BYTES = 8;
const BLOCK_HEADER_BYTES = 13;
/** Key group and state id. */
const KEY_PREFIX_BYTES = 4;
/** Longer than any key of the benchmark. */
const KEY_BYTES_MAX = 256;

/** The entries of an uncompressed segment whose blocks end at `blocksEnd`; one state, no deletions. */
export function decodeSegment<Value>(segment: Buffer, blocksEnd: number, codec: Codec<Value>): Map<string, Value> {
  const entries = new Map<string, Value>();
  const key = string();
  const composite = Buffer.alloc(KEY_BYTES_MAX);
  const reader = new ByteReader(segment, 0, 0);
  const value = new ByteReader(segment, 0, 0);
  for (let at = HEADER_BYTES; at < blocksEnd; ) {
    const start = at + BLOCK_HEADER_BYTES;
    const end = start + segment.readUInt32BE(at);
    const block = segment.subarray(start, end);
    reader.reset(block);
    while (reader.remaining > 0) {
      const shared = reader.varint();
      const suffix = reader.varint();
      reader.skip(1);
      const valueBytes = reader.varint();
      block.copy(composite, shared, reader.position, reader.position + suffix);
      reader.skip(suffix);
      value.reset(block, reader.position, reader.position + valueBytes);
      reader.skip(valueBytes);
      const encoded = composite.toString("latin1", 0, shared + suffix) as BinaryKey;
      entries.set(key.decode(encoded, KEY_PREFIX_BYTES).key, codec.read(value));
    }
    at = end;
  }
  return entries;
}
