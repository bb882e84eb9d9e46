/** CRC-32C, the checksum of LevelDB's files. Node has only CRC-32. */

const POLYNOMIAL = 0x82f63b78;
const SLICES = 8;
const TABLE = makeTable();

/** CRC-32C of `bytes` from `start` to `end`, going on from `seed`. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length, seed = 0): number {
  const table = TABLE;
  let crc = ~seed;
  let at = start;
  for (; at + SLICES <= end; at += SLICES) {
    crc ^= word(bytes, at);
    const next = word(bytes, at + 4);
    crc =
      (table[1792 + (crc & 0xff)] as number) ^
      (table[1536 + ((crc >>> 8) & 0xff)] as number) ^
      (table[1280 + ((crc >>> 16) & 0xff)] as number) ^
      (table[1024 + (crc >>> 24)] as number) ^
      (table[768 + (next & 0xff)] as number) ^
      (table[512 + ((next >>> 8) & 0xff)] as number) ^
      (table[256 + ((next >>> 16) & 0xff)] as number) ^
      (table[next >>> 24] as number);
  }
  for (; at < end; at++) crc = (table[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The checksum that LevelDB stores for one that came out as `crc`. */
export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function word(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

/** Row `n` tells what a byte does that is followed by `n` more. */
function makeTable(): Uint32Array {
  const table = new Uint32Array(256 * SLICES);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    table[byte] = crc;
  }
  for (let index = 256; index < table.length; index++) {
    const before = table[index - 256] as number;
    table[index] = (table[before & 0xff] as number) ^ (before >>> 8);
  }
  return table;
}
