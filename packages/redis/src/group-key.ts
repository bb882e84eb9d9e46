/**
 * The Redis key of a key group: `<prefix>{<tag>}:s:<scope>:<group>`.
 *
 * Invariants:
 * - Names of jobs and operators are not in it, only a hash of them.
 * - The groups of a scope spread evenly over the slots, another scope from another slot on.
 *
 * @see docs/formats.md#redis
 */

import { createHash } from "node:crypto";
import type { TaskScope } from "@tidemark/core";
import { SLOTS, tagOfSlot } from "./slots.js";

/** What all tasks of an operator share: their key groups move from task to task. */
export type ScopeName = Pick<TaskScope, "job" | "operator" | "maxParallelism">;

/** Makes the keys of the key groups of a scope. */
export function groupKeys(prefix: string, scope: ScopeName): (group: number) => string {
  const hash = scopeHash(scope);
  const shift = hash.readUInt16BE(0) % SLOTS;
  const name = hash.toString("hex");
  return (group) => {
    const slot = (shift + Math.floor(((group % scope.maxParallelism) * SLOTS) / scope.maxParallelism)) % SLOTS;
    return `${prefix}{${tagOfSlot(slot)}}:s:${name}:${group}`;
  };
}

/** 128 bits of SHA-256 over lengths and UTF-16 code units, so that no two scopes are joined to the same bytes. */
function scopeHash({ job, operator, maxParallelism }: ScopeName): Buffer {
  const hash = createHash("sha256");
  for (const text of [job, operator]) hash.update(`${text.length}:`).update(text, "utf16le");
  return hash.update(`${maxParallelism}`).digest().subarray(0, 16);
}
