/**
 * What tells one content of a store from any other: the segments that it came from, and the encodings that it is in. Names of segments are
 * never given twice.
 */

import { createHash } from "node:crypto";

const TAG_DIGITS = 32;

/** A tag for the content of `segments`, oldest first, in the encodings that `schema` names. */
export function storeTag(schema: string, segments: readonly { readonly name: string }[]): string {
  const text = JSON.stringify([schema, ...segments.map(({ name }) => name)]);
  return createHash("sha256").update(text).digest("hex").slice(0, TAG_DIGITS);
}
