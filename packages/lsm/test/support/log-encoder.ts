/** Writes what LevelDB would: logs, manifests, and the headers of batches. */

import { crc32c, masked } from "../../src/files/crc32c.js";

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;

/** A log of `records`. */
export function logOf(records: readonly Uint8Array[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  const push = (part: Buffer): void => {
    parts.push(part);
    at += part.length;
  };
  for (const record of records) {
    let offset = 0;
    do {
      const left = BLOCK_BYTES - (at % BLOCK_BYTES);
      if (left < HEADER_BYTES) push(Buffer.alloc(left));
      const room = BLOCK_BYTES - (at % BLOCK_BYTES) - HEADER_BYTES;
      const data = record.subarray(offset, offset + room);
      const isFirst = offset === 0;
      offset += data.length;
      const isLast = offset === record.length;
      push(fragment(isFirst ? (isLast ? 1 : 2) : isLast ? 4 : 3, data));
      if (isLast) break;
    } while (offset <= record.length);
  }
  return Buffer.concat(parts);
}

function fragment(type: number, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.of(type), data]);
  const head = Buffer.alloc(6);
  head.writeUInt32LE(masked(crc32c(body)), 0);
  head.writeUInt16LE(data.length, 4);
  return Buffer.concat([head, body]);
}

/** The header of a batch of `count` writes, the first of which has the number `sequence`. */
export function batchOf(sequence: number, count: number): Buffer {
  const batch = Buffer.alloc(12);
  batch.writeBigUInt64LE(BigInt(sequence), 0);
  batch.writeUInt32LE(count, 8);
  return batch;
}

/** An edit of a manifest: pairs of tag and numbers. */
export function editOf(...fields: readonly (readonly number[])[]): Buffer {
  return Buffer.concat(fields.flat().map(varint));
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}
