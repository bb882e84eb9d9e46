/**
 * Backends that read back all that they wrote, and whose savepoints no other backend reads alike: nothing that looks at one backend
 * alone can tell.
 */

import { type Codec, evolved, former, structured } from "@tidemark/core";
import { bareCodec, type CodecOf } from "../commands/formats.js";
import { migrated } from "../model/migrations.js";
import type { BrokenFeature } from "./broken-feature.js";

/** Every format takes over the values of `first`. */
function codecsFrom(first: Codec<unknown>): CodecOf {
  const codecOf: CodecOf = (kind, format) => {
    if (format === 0) return first;
    return evolved(
      bareCodec(format),
      former(codecOf(kind, format - 1), (old) => migrated(kind, old, format)),
    );
  };
  return codecOf;
}

export const BROKEN_SAVEPOINTS: readonly BrokenFeature[] = [
  {
    what: "values are in an encoding of the backend's own, under the name of ours",
    caughtBy: "savepoints",
    make: () => ({ codecOf: codecsFrom(marked(structured())) }),
  },
  {
    what: "values are under the name of a codec of the backend's own",
    caughtBy: "savepoints",
    make: () => ({ codecOf: codecsFrom({ ...structured(), id: "own" }) }),
  },
];

/** A byte goes in front, written and read by the same hand. */
function marked(sound: Codec<unknown>): Codec<unknown> {
  return {
    ...sound,
    write(value, out) {
      out.uint8(0);
      sound.write(value, out);
    },
    read(input) {
      input.uint8();
      return sound.read(input);
    },
  };
}
