/** The rule for names of stored objects, for every storage. */

import { quoted } from "../errors.js";

const PART = /^(?!\.{1,2}$)[a-z0-9._-]{1,120}$/;
const NAME_LENGTH_MAX = 1024;
const RULE =
  "Use parts of [a-z0-9._-], 1 to 120 characters each, joined by '/', none of them '.' or '..', at most 1,024 characters in all.";

/** Whether `text` may be one part of a name. */
export function isObjectNamePart(text: string): boolean {
  return PART.test(text);
}

/**
 * The parts of a name.
 * @throws {RangeError} if `name` is not made as the contract says
 */
export function partsOfObjectName(name: string): readonly string[] {
  const parts = String(name).split("/");
  if (parts.every(isObjectNamePart) && name.length <= NAME_LENGTH_MAX) return parts;
  throw new RangeError(`Object name refused. name=${quoted(String(name))}. ${RULE}`);
}

/**
 * The parts of a listing's prefix; none for the empty prefix.
 * @throws {RangeError} if it is neither empty nor whole parts ending in `/`
 */
export function partsOfObjectPrefix(prefix: string): readonly string[] {
  if (prefix === "") return [];
  const parts = String(prefix).split("/");
  if (parts.pop() === "" && parts.every(isObjectNamePart)) return parts;
  throw new RangeError(`Prefix refused. prefix=${quoted(String(prefix))}. End it in '/' or leave it empty. ${RULE}`);
}
