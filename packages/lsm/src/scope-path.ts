/** The directory of a task below that of the backend: another one for each scope, and safe in any filesystem. */

import { createHash } from "node:crypto";
import type { KeyGroups, TaskScope } from "@tidemark/core";

const PLAIN_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const GROUPS_LENGTH_MAX = 100;

/** Parts of the path of `scope`: job, operator, number of all key groups, its key groups. */
export function scopePath({ job, operator, maxParallelism, groups }: TaskScope): readonly string[] {
  return [namePart(job), namePart(operator), `${maxParallelism}`, groupsPart(groups)];
}

/** A name that is safe as it is stands for itself, any other for the SHA-256 of its UTF-16 code units. */
function namePart(name: string): string {
  return PLAIN_NAME.test(name) ? `n-${name}` : `h-${hashOf(name)}`;
}

function groupsPart(groups: KeyGroups): string {
  const text = groups.ranges.map(({ first, last }) => `${first}-${last}`).join("_");
  return text.length <= GROUPS_LENGTH_MAX ? `g-${text}` : `h-${hashOf(text)}`;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text, "utf16le").digest("hex");
}
