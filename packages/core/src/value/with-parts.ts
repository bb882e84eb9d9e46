/** A codec made of another one, with the same id, version and bytes. */

import type { Codec } from "../contracts/codec.js";

/** `codec` with the given parts in the place of its own. */
export function withParts<T>(codec: Codec<T>, parts: Partial<Pick<Codec<T>, "own" | "former">>): Codec<T> {
  const former = parts.former ?? codec.former;
  return Object.freeze({
    id: codec.id,
    version: codec.version,
    own: parts.own ?? ((value: T) => codec.own(value)),
    ...(codec.handOut === undefined ? {} : { handOut: codec.handOut.bind(codec) }),
    write: (value, out) => {
      codec.write(value, out);
    },
    read: (input) => codec.read(input),
    ...(former === undefined ? {} : { former }),
  } satisfies Codec<T>);
}
