/** Keys as parameters of statements. */

import type { BinaryKey } from "@tidemark/core";

export function bytesOfKey(key: BinaryKey): Buffer {
  return Buffer.from(key, "latin1");
}
