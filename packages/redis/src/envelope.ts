/**
 * Values and marks as they are stored: with a checksum that takes in where they belong.
 *
 * @see docs/formats.md#redis
 */

import { crc32 } from "node:zlib";
import type { StoreMark } from "@tidemark/core";

/** In front of a value: the CRC-32 of its key and of itself. */
export const CHECKSUM_BYTES = 4;

/** The value in `stored`, which it shares its memory with; `undefined` if it is not what was stored under `key`. */
export function unsealed(key: Uint8Array, stored: Buffer): Buffer | undefined {
  if (stored.length < CHECKSUM_BYTES) return undefined;
  const value = stored.subarray(CHECKSUM_BYTES);
  return stored.readUInt32BE(0) === crc32(value, crc32(key)) ? value : undefined;
}

/** `mark` as text, bound to the Redis key that it stands in; nothing is the empty text. */
export function markText(redisKey: string, mark: StoreMark | undefined): string {
  if (mark === undefined) return "";
  const text = `${mark.checkpoint}:${mark.tag}`;
  return `${checksumText(redisKey, text)}:${text}`;
}

/** The inverse of `markText`; `null` if `text` is not what it returns. */
export function markOfText(redisKey: string, text: string): StoreMark | undefined | null {
  if (text === "") return undefined;
  const match = /^([0-9a-f]{8}):(([0-9]{1,16}):([\s\S]*))$/.exec(text);
  if (match === null) return null;
  const [, checksum, body, checkpoint, tag] = match as unknown as [string, string, string, string, string];
  return checksum === checksumText(redisKey, body) ? { checkpoint: Number(checkpoint), tag } : null;
}

function checksumText(redisKey: string, text: string): string {
  return crc32(text, crc32(redisKey)).toString(16).padStart(8, "0");
}
