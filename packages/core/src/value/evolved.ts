/** A codec that also takes over what codecs before it have written. */

import type { Codec, FormerCodec } from "../contracts/codec.js";
import { withParts } from "./with-parts.js";

/**
 * Declares that values which `codec` has written become values of today by `migrate`. It must be a pure function: a value is migrated
 * whenever its old bytes are read, until they have been rewritten.
 * @throws {TypeError} if a part is missing
 */
export function former<Old, Now>(codec: Codec<Old>, migrate: (old: Old) => Now): FormerCodec<Now> {
  if (typeof codec?.read !== "function" || typeof migrate !== "function") {
    throw new TypeError(
      "A former codec needs the codec and a function. Pass for example former(text(), (old) => Number(old)).",
    );
  }
  return Object.freeze({ codec, migrate: (old: unknown) => migrate(old as Old) });
}

/**
 * `current`, with the same id, version and bytes, that also takes over values of `formers`, and of what those take over in turn.
 * @throws {TypeError} if a former codec has the id and version of `current`
 */
export function evolved<T>(current: Codec<T>, ...formers: readonly FormerCodec<T>[]): Codec<T> {
  for (const { codec } of formers) {
    if (codec.id !== current.id || codec.version !== current.version) continue;
    throw new TypeError(
      `A former codec has the name of the current one. id=${JSON.stringify(codec.id)} version=${codec.version}. Give the current codec a higher version or another id.`,
    );
  }
  return withParts(current, { former: Object.freeze([...formers, ...(current.former ?? [])]) });
}
