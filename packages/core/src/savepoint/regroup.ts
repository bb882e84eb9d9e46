/** Gives keys the key group that they have under another number of key groups. Their bytes stay as they are. */

import { corruptBytes } from "../bytes/byte-reader.js";
import type { OperatorManifest } from "../checkpoint/manifest.js";
import type { KeyCodec } from "../contracts/codec.js";
import { type BinaryKey, readUint16, uint16Key } from "../key/binary-key.js";
import { keyGroupOf, OPERATOR_GROUP } from "../key/key-groups.js";
import { murmur3OfKey } from "../key/murmur3.js";
import type { Move } from "../restore/rewrite.js";
import { CELL_OFFSET } from "../table/state-table.js";
import { isTimerKind, TIME_BYTES } from "../table/timer-kinds.js";

/** `key` says where a key ends; more is not asked of it. */
export function regroup(source: OperatorManifest, key: KeyCodec<unknown>, maxParallelism: number): Move {
  const timers = new Set(source.states.filter(({ kind }) => isTimerKind(kind)).map(({ id }) => id));
  let last: { readonly bytes: BinaryKey; readonly before: number; readonly after: BinaryKey } | undefined;
  return (entry) => {
    const before = readUint16(entry, 0);
    if (before === OPERATOR_GROUP) return entry;
    const start = CELL_OFFSET + (timers.has(readUint16(entry, 2)) ? TIME_BYTES : 0);
    // No key is the beginning of another, and the entries of a key mostly come together.
    if (last === undefined || !entry.startsWith(last.bytes, start)) {
      const bytes = entry.slice(start, key.decode(entry, start).end) as BinaryKey;
      const hash = murmur3OfKey(bytes);
      last = {
        bytes,
        before: keyGroupOf(hash, source.maxParallelism),
        after: uint16Key(keyGroupOf(hash, maxParallelism)),
      };
    }
    if (last.before !== before) {
      throw corruptBytes("a key is not in its key group", `group=${before} expected=${last.before}`);
    }
    return (last.after + entry.slice(2)) as BinaryKey;
  };
}
