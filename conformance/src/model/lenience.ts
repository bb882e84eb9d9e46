/** What a read may give of a state whose expired values may be seen once more. */

import { canonical } from "./canonical.js";
import { isLenient } from "./catalog.js";
import { liveParts } from "./expiry.js";
import { encodeField, type ModelField } from "./key-order.js";
import type { Operation } from "./operation.js";
import { isSame, isSurelySame } from "./same-value.js";
import { nowOfKey, type OperatorContent, storedParts } from "./operator-model.js";
import { type Fields, read } from "./state-model.js";

/** A part of what is read, and whether it must be there. */
interface Part {
  readonly value: unknown;
  readonly isLive: boolean;
}

/** Whether the read may give `actual`, of a cell that holds values which have expired; `false` if it holds none. */
export function mayStillGive(
  content: OperatorContent,
  operation: Operation,
  { actual, maxParallelism }: { readonly actual: unknown; readonly maxParallelism: number },
): boolean {
  const { spec, verb, field } = operation;
  const stored = isLenient(spec) ? storedParts(content, operation) : undefined;
  if (stored === undefined) return false;
  const now = nowOfKey(content, operation, maxParallelism);
  if (spec.kind === "map") {
    const fields = stored.content as Fields;
    const entry = fields.get(encodeField(field));
    if (verb === "has") return actual === (entry !== undefined);
    if (verb === "get") return isSame(actual, entry?.[1]);
    const live = liveParts(stored, now)?.content as Fields | undefined;
    return verb === "entries" && isBetween(actual as unknown[], mapParts(fields, live));
  }
  if (verb !== "get") return false;
  if (spec.kind !== "list") return isSame(actual, read(spec, stored.content));
  const parts = (stored.content as unknown[]).map((element, at): Part => {
    const stamps = (stored.stamps as number[])[at];
    return { value: element, isLive: liveParts({ content: element, stamps }, now) !== undefined };
  });
  return isBetween(actual as unknown[], parts);
}

function mapParts(all: Fields, live: Fields | undefined): Part[] {
  return [...all]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([field, entry]: [string, readonly [ModelField, unknown]]) => ({
      value: entry,
      isLive: live?.has(field) === true,
    }));
}

/** Whether `actual` is `parts` in their order, without some that have expired. */
function isBetween(actual: readonly unknown[], parts: readonly Part[]): boolean {
  const isAll = actual.length === parts.length && parts.every(({ value }, index) => isSurelySame(actual[index], value));
  if (isAll) return true;
  const texts = actual.map(canonical);
  // How many of `actual` may have been met by the parts so far.
  let met = new Set([0]);
  for (const { value, isLive } of parts) {
    const text = canonical(value);
    const given = [...met].filter((count) => texts[count] === text).map((count) => count + 1);
    met = new Set(isLive ? given : [...met, ...given]);
  }
  return met.has(texts.length);
}
