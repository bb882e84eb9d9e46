/** CRC-32C, the checksum of LevelDB's files. Node has only CRC-32. */

import { Crc } from "./crc.js";

const CRC = new Crc(0x82f63b78);

/** CRC-32C of `bytes` from `start` to `end`, going on from `seed`. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length, seed = 0): number {
  return ~CRC.after(~seed, bytes, start, end) >>> 0;
}

/** The checksum that LevelDB stores for one that came out as `crc`. */
export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
