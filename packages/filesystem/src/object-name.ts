/**
 * Which names objects may have.
 *
 * Invariants:
 * - A name that passes can stand in a path as it is: it never leaves the root, and two names never mean one file, also
 *   where the filesystem ignores case or normalises Unicode.
 */

import { quoted } from "@tidemark/core";

const SEGMENT = /^(?!\.{1,2}$)[a-z0-9._-]{1,120}$/;
const RULE = "Use segments of [a-z0-9._-], 1 to 120 characters each, joined by '/', none of them '.' or '..'.";

/** True if `text` may be one segment of a name. */
export function isSegment(text: string): boolean {
  return SEGMENT.test(text);
}

/**
 * The segments of an object's name.
 * @throws {RangeError} if it is not a name that the contract allows
 */
export function segmentsOfName(name: string): readonly string[] {
  const segments = name.split("/");
  if (segments.every(isSegment)) return segments;
  throw new RangeError(`Object name refused. name=${quoted(name)}. ${RULE}`);
}

/**
 * The segments of a listing's prefix; none for the empty prefix.
 * @throws {RangeError} if it is neither empty nor whole segments ending in `/`
 */
export function segmentsOfPrefix(prefix: string): readonly string[] {
  if (prefix === "") return [];
  const segments = prefix.split("/");
  if (segments.pop() === "" && segments.every(isSegment)) return segments;
  throw new RangeError(`Prefix refused. prefix=${quoted(prefix)}. End it in '/' or leave it empty. ${RULE}`);
}
