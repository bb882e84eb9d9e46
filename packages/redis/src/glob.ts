/** Patterns of Redis that stand for the bytes they are made of. */

import type { BinaryKey } from "@tidemark/core";

const SPECIAL = /[*?[\]\\^-]/g;

/** The pattern of everything that begins with `prefix`. */
export function globOf(prefix: BinaryKey): Buffer {
  return Buffer.from(`${prefix.replace(SPECIAL, "\\$&")}*`, "latin1");
}
