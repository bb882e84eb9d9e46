/**
 * Keys of several parts.
 *
 * Invariants:
 * - The encodings of the parts, one after the other: tuples sort by the first part, then by the second, and so on.
 * - The id names the parts, with `@version` where it is not 1, so that a change of a part is a change of the tuple.
 */

import type { KeyCodec } from "../contracts/codec.js";
import { type BinaryKey, EMPTY_KEY, joinKeys } from "./binary-key.js";
import { invalidKey } from "./invalid-key.js";
import { keyCodec } from "./key-codec.js";

/** Keys that are arrays with one element for each of `codecs`. */
export function tuple<const Parts extends readonly unknown[]>(
  ...codecs: { readonly [Index in keyof Parts]: KeyCodec<Parts[Index]> }
): KeyCodec<Parts> {
  const parts = codecs as readonly KeyCodec<unknown>[];
  return keyCodec<Parts>({
    id: `tuple(${parts.map(nameOf).join(",")})`,
    version: 1,
    encode: (key) => encodeParts(parts, key),
    decode(source, offset) {
      const { key, end } = decodeParts(parts, source, offset);
      return { key: key as unknown as Parts, end };
    },
  });
}

function nameOf({ id, version }: KeyCodec<unknown>): string {
  return version === 1 ? id : `${id}@${version}`;
}

function encodeParts(parts: readonly KeyCodec<unknown>[], key: readonly unknown[]): BinaryKey {
  if (!Array.isArray(key) || key.length !== parts.length) throw invalidKey(`an array of ${parts.length} parts`, key);
  let encoded = EMPTY_KEY;
  for (const [index, part] of parts.entries()) encoded = joinKeys(encoded, part.encode(key[index]));
  return encoded;
}

function decodeParts(
  parts: readonly KeyCodec<unknown>[],
  source: BinaryKey,
  offset: number,
): { key: unknown[]; end: number } {
  const key: unknown[] = [];
  let end = offset;
  for (const part of parts) {
    const decoded = part.decode(source, end);
    key.push(decoded.key);
    end = decoded.end;
  }
  return { key, end };
}
