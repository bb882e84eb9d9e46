/** How many bytes entries take by themselves, found out apart from the code that writes segments. */

import { ByteWriter, string, structured } from "@tidemark/core";

/** Key group and state id stand before every key. */
const KEY_PREFIX_BYTES = 2 + 2;

const key = string();
const codec = structured<unknown>();
const scratch = new ByteWriter();

/** Key group, state id, encoded key and encoded value, and nothing else. */
export function encodedBytes(stringKey: string, value: unknown): number {
  scratch.reset();
  codec.write(value, scratch);
  return KEY_PREFIX_BYTES + key.encode(stringKey).length + scratch.length;
}
