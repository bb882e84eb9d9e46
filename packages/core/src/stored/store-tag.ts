/**
 * What tells one content of a store from any other: the segments that it came from, and the encodings that it is in.
 */

import { createHash } from "node:crypto";

const TAG_DIGITS = 32;

/** A segment as a tag knows it: another one has another name, and another content in any case. */
export interface TaggedSegment {
  readonly name: string;
  readonly sha256: string;
}

/** A tag for the content of `segments`, oldest first, in the encodings that `schema` names. */
export function storeTag(schema: string, segments: readonly TaggedSegment[]): string {
  const text = JSON.stringify([schema, ...segments.map(({ name, sha256 }) => [name, sha256])]);
  return createHash("sha256").update(text).digest("hex").slice(0, TAG_DIGITS);
}
