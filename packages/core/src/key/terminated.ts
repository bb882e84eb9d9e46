/**
 * Bytes of any length made self-delimiting without losing their order.
 *
 * Invariants:
 * - The byte 00 stands as 00 FF, and 00 01 ends the content; no other byte follows a 00.
 * - Terminated contents sort as the contents do, and none is a prefix of another.
 *
 * @see docs/formats.md#keys
 */

import { corruptBytes } from "../bytes/byte-reader.js";
import type { BinaryKey } from "./binary-key.js";

const ESCAPED_ZERO = "\u0000\u00FF";
/** Ends a content. */
export const TERMINATOR = "\u0000\u0001";
const ESCAPE_CODE = 0xff;
const TERMINATOR_CODE = 0x01;

/** `content` (characters U+0000 to U+00FF) with its end marked. */
export function terminate(content: string): BinaryKey {
  const escaped = content.includes("\u0000") ? content.replaceAll("\u0000", ESCAPED_ZERO) : content;
  return (escaped + TERMINATOR) as BinaryKey;
}

/** Content that was read, and where the next begins. */
export interface Content {
  readonly content: string;
  readonly end: number;
}

/**
 * The content that begins at `offset`.
 * @throws {StateBackendError} CHECKPOINT_CORRUPT if it has no end or a 00 that is not escaped
 */
export function readTerminated(source: BinaryKey, offset: number): Content {
  let content = "";
  let start = offset;
  for (;;) {
    const zero = source.indexOf("\u0000", start);
    if (zero < 0) throw corruptBytes("a key has no terminator", `offset=${offset} length=${source.length}`);
    const code = source.charCodeAt(zero + 1);
    if (code === TERMINATOR_CODE) return { content: content + source.slice(start, zero), end: zero + 2 };
    if (code !== ESCAPE_CODE) throw corruptBytes("a key has a 00 that is not escaped", `offset=${zero}`);
    content += source.slice(start, zero + 1);
    start = zero + 2;
  }
}
