/** A key codec that also takes over what codecs before it have written. */

import type { FormerKeyCodec, KeyCodec } from "../contracts/codec.js";

/**
 * Declares that keys which `codec` has written become keys of today by `migrate`. It must be a pure function, and give another key for
 * every old one: a restore is refused where two become one.
 * @throws {TypeError} if a part is missing
 */
export function formerKey<Old, Now>(codec: KeyCodec<Old>, migrate: (old: Old) => Now): FormerKeyCodec<Now> {
  if (typeof codec?.decode !== "function" || typeof migrate !== "function") {
    throw new TypeError(
      "A former key codec needs the codec and a function. Pass for example formerKey(number(), (old) => String(old)).",
    );
  }
  // Where the type of the old keys does not matter it is `unknown`; the codec is asked only for keys that it has written.
  return Object.freeze({
    codec,
    migrate: (old: unknown) => migrate(old as Old),
  });
}

/**
 * `current`, with the same id, version and bytes, that also takes over keys of `formers`, and of what those take over in turn. For record
 * keys, namespaces, and the fields of maps and broadcast maps.
 *
 * A restore from a checkpoint in a former codec reads the state twice, before and after it becomes owner of the job, and writes it once:
 * the order of a segment and the key group of a key follow from its bytes. Meanwhile it remembers all record keys, old and new, in memory. The checkpoints after it stand on what it wrote, so the
 * former codec can be taken out as soon as there is one that completed.
 * @throws {TypeError} if a former codec has the id and version of `current`
 */
export function evolvedKey<K>(current: KeyCodec<K>, ...formers: readonly FormerKeyCodec<K>[]): KeyCodec<K> {
  for (const { codec } of formers) {
    if (codec.id !== current.id || codec.version !== current.version) continue;
    throw new TypeError(
      `A former key codec has the name of the current one. id=${JSON.stringify(codec.id)} version=${codec.version}. Give the current codec a higher version or another id.`,
    );
  }
  return Object.freeze({
    id: current.id,
    version: current.version,
    encode: (key) => current.encode(key),
    decode: (source, offset) => current.decode(source, offset),
    identity: (key) => current.identity(key),
    ...(current.isOwnIdentity === undefined ? {} : { isOwnIdentity: current.isOwnIdentity }),
    ...(current.sortKey === undefined ? {} : { sortKey: current.sortKey.bind(current) }),
    hash: (key) => current.hash(key),
    fromIdentity: (identity) => current.fromIdentity(identity),
    former: Object.freeze([...formers, ...(current.former ?? [])]),
  } satisfies KeyCodec<K>);
}
