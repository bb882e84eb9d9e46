/** How messages show the place in a value that they are about. */

import { quoted } from "../errors.js";

const PATH_LENGTH_MAX = 120;

/** The step to the property `name`: `.name`, or in brackets if it is no identifier. */
export function nameSegment(name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? `.${name}` : `[${quoted(name)}]`;
}

/** The step to a property, an index, or whatever else a checker of values calls a member. */
export function memberSegment(member: unknown): string {
  if (typeof member === "number" || (typeof member === "string" && /^\d+$/.test(member))) return `[${member}]`;
  return typeof member === "string" ? nameSegment(member) : `[${quoted(String(member))}]`;
}

/** The place at the end of `segments`, cut if it is long. */
export function placeInValue(segments: readonly string[]): string {
  const place = `value${segments.join("")}`;
  return place.length > PATH_LENGTH_MAX ? `${place.slice(0, PATH_LENGTH_MAX)}…` : place;
}
