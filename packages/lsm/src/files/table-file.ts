/**
 * Checks LevelDB's tables: every block against its checksum, and that the blocks are the whole file.
 *
 * LevelDB does neither when it reads: a damaged key, index or filter would make keys vanish without a word.
 *
 * @see https://github.com/google/leveldb/blob/main/doc/table_format.md
 */

import { ByteCursor, Damage } from "./byte-cursor.js";
import { crc32c, masked } from "./crc32c.js";
import { snappyDecompressed } from "./snappy.js";

const FOOTER_BYTES = 48;
const TRAILER_BYTES = 5;
const MAGIC = Buffer.from("57fb808b247547db", "hex");
const UNCOMPRESSED = 0;
const SNAPPY = 1;

interface BlockPlace {
  readonly offset: number;
  readonly size: number;
}

/**
 * The blocks of a table, checked one by one as they are taken; each yields its length.
 * @throws {Damage} if a block is not what was written, or something is between the blocks
 */
export function* checkedBlocks(file: Buffer): Generator<number, void, undefined> {
  const footerAt = file.length - FOOTER_BYTES;
  if (footerAt < 0) throw new Damage("a table is cut short");
  const footer = new ByteCursor(file.subarray(footerAt));
  const filters = placeAt(footer);
  const index = placeAt(footer);
  if (footer.at > FOOTER_BYTES - MAGIC.length) throw new Damage("a table has no footer");
  const rest = Buffer.concat([Buffer.alloc(FOOTER_BYTES - MAGIC.length - footer.at), MAGIC]);
  if (!footer.bytes.subarray(footer.at).equals(rest)) throw new Damage("a table has no footer");
  let at = 0;
  for (const place of [...placesIn(file, index), ...placesIn(file, filters), filters, index]) {
    if (place.offset !== at) throw new Damage("a table has something between its blocks");
    checkBlock(file, place);
    at += place.size + TRAILER_BYTES;
    yield place.size;
  }
  if (at !== footerAt) throw new Damage("a table has something before its footer");
}

/** The places that the block at `place` points to: its values. */
function placesIn(file: Buffer, place: BlockPlace): readonly BlockPlace[] {
  checkBlock(file, place);
  const block = contentOf(file, place);
  if (block.length < 4) throw new Damage("a block is cut short");
  const restartsAt = block.length - 4 - 4 * block.readUInt32LE(block.length - 4);
  if (restartsAt < 0) throw new Damage("a block is cut short");
  const cursor = new ByteCursor(block.subarray(0, restartsAt));
  const places: BlockPlace[] = [];
  while (!cursor.isAtEnd) {
    cursor.varint();
    const keyLength = cursor.varint();
    const valueLength = cursor.varint();
    cursor.take(keyLength);
    places.push(placeAt(new ByteCursor(cursor.take(valueLength))));
  }
  return places;
}

function contentOf(file: Buffer, { offset, size }: BlockPlace): Buffer {
  const content = file.subarray(offset, offset + size);
  const compression = file[offset + size];
  if (compression === UNCOMPRESSED) return content;
  if (compression === SNAPPY) return snappyDecompressed(content);
  throw new Damage("a block is compressed in no known way");
}

function checkBlock(file: Buffer, { offset, size }: BlockPlace): void {
  const end = offset + size + 1;
  if (end + 4 > file.length) throw new Damage("a table points out of itself");
  if (file.readUInt32LE(end) !== masked(crc32c(file, offset, end))) throw new Damage("a block fails its checksum");
}

function placeAt(cursor: ByteCursor): BlockPlace {
  return { offset: cursor.varint(), size: cursor.varint() };
}
