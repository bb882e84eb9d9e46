/**
 * Values that expire: what of a cell lives at a time, and what an operation stamps.
 *
 * Invariants:
 * - A cell has one stamp for its value, one for each element, or one for each field. A stamp is the first moment at which it is gone.
 * - What has expired may stay in a cell: whoever looks at it looks through `liveParts`.
 */

import type { StateSpec, TtlSpec } from "./catalog.js";
import { encodeField, type ModelField } from "./key-order.js";
import { type Operation, setAllEntries } from "./operation.js";
import type { TaskTimes } from "./times.js";

/** By the kind of state: of the value, of each element, of each encoded field. */
export type Stamps = number | number[] | Map<string, number>;

type Fields = Map<string, readonly [ModelField, unknown]>;

/** What is stored, with its stamps if the state expires. */
export interface Parts {
  readonly content: unknown;
  readonly stamps?: Stamps | undefined;
}

const NEVER = Number.MAX_SAFE_INTEGER;

/** What time it is for a state in a task; `undefined` where there is none yet. */
export function nowFor(ttl: TtlSpec, { processing, watermark }: TaskTimes): number | undefined {
  return ttl.time === "event" ? (watermark ?? undefined) : processing;
}

/** The stamp of what is written at `now`. */
export function stampAt(ttl: TtlSpec, now: number | undefined): number {
  return now === undefined ? NEVER : Math.min(now + ttl.ms, NEVER);
}

function isLive(stamp: number, now: number | undefined): boolean {
  return stamp === NEVER || now === undefined || now < stamp;
}

function areLive(stamps: ReadonlyMap<string, number>, now: number | undefined): boolean {
  for (const stamp of stamps.values()) if (!isLive(stamp, now)) return false;
  return true;
}

/** What of `parts` has not expired at `now`, `parts` itself if that is all of it; `undefined` if it is nothing. */
export function liveParts(parts: Parts, now: number | undefined): Parts | undefined {
  const { content, stamps } = parts;
  if (stamps === undefined) return parts;
  if (typeof stamps === "number") return isLive(stamps, now) ? parts : undefined;
  if (Array.isArray(stamps)) {
    if (stamps.every((stamp) => isLive(stamp, now))) return parts;
    const kept = stamps.map((stamp) => isLive(stamp, now));
    const elements = (content as unknown[]).filter((_, at) => kept[at]);
    return elements.length === 0 ? undefined : { content: elements, stamps: stamps.filter((_, at) => kept[at]) };
  }
  if (areLive(stamps, now)) return parts;
  const fields = new Map([...(content as Fields)].filter(([field]) => isLive(stamps.get(field) ?? 0, now)));
  if (fields.size === 0) return undefined;
  return { content: fields, stamps: new Map([...stamps].filter(([field]) => fields.has(field))) };
}

/** Everything of `parts` stamped anew. */
export function renewed({ kind }: StateSpec, content: unknown, stamp: number): Stamps {
  if (kind === "list") return (content as unknown[]).map(() => stamp);
  return kind === "map" ? new Map([...(content as Fields).keys()].map((field) => [field, stamp])) : stamp;
}

/** What an operation has made of a cell. */
export interface Change {
  /** As it was before, with what had expired. */
  readonly before: Parts | undefined;
  /** What of it lived. */
  readonly live: Parts | undefined;
  /** What there is to live now; `undefined` for nothing. */
  readonly next: unknown;
  readonly operation: Operation;
  readonly stamp: number;
}

/** The cell after the operation: what lives is stamped, and what has expired and was not met stays. */
export function stampedParts(change: Change): Parts | undefined {
  const { kind } = change.operation.spec;
  if (kind === "list") return stampedList(change);
  if (kind === "map") return stampedMap(change);
  const { next, operation, live, stamp } = change;
  if (next === undefined) return undefined;
  const isRead = operation.verb === "get";
  return { content: next, stamps: isRead && !renewsOnRead(operation.spec) ? live?.stamps : stamp };
}

export function renewsOnRead({ ttl }: StateSpec): boolean {
  return ttl?.update === "on-read-and-write";
}

function stampedList({ before, live, next, operation, stamp }: Change): Parts | undefined {
  const elements = (next as unknown[] | undefined) ?? [];
  switch (operation.verb) {
    case "add":
    case "addAll": {
      const known = ((live?.content as unknown[] | undefined) ?? []).length;
      const added = elements.slice(known);
      const content = [...((before?.content as unknown[] | undefined) ?? []), ...added];
      const stamps = [...((before?.stamps as number[] | undefined) ?? []), ...added.map(() => stamp)];
      return content.length === 0 ? undefined : { content, stamps };
    }
    case "get":
      if (live === undefined) return undefined;
      return renewsOnRead(operation.spec) ? { content: elements, stamps: elements.map(() => stamp) } : live;
    default:
      return elements.length === 0 ? undefined : { content: elements, stamps: elements.map(() => stamp) };
  }
}

function stampedMap({ before, live, next, operation, stamp }: Change): Parts | undefined {
  const fields = new Map(next as Fields | undefined);
  const stamps = new Map<string, number>();
  const touched = touchedFields(operation);
  const isFresh = (field: string): boolean => {
    if (READS.includes(operation.verb)) return renewsOnRead(operation.spec) && (touched?.has(field) ?? true);
    return touched?.has(field) ?? operation.verb !== "isEmpty";
  };
  const known = live?.stamps as Map<string, number> | undefined;
  for (const field of fields.keys()) stamps.set(field, isFresh(field) ? stamp : (known?.get(field) ?? stamp));
  for (const [field, entry] of (before?.content as Fields | undefined) ?? []) {
    const isMet = operation.verb !== "isEmpty" && (touched?.has(field) ?? true);
    if (fields.has(field) || isMet || (live?.content as Fields | undefined)?.has(field) === true) continue;
    fields.set(field, entry);
    stamps.set(field, (before?.stamps as Map<string, number>).get(field) ?? 0);
  }
  return fields.size === 0 ? undefined : { content: fields, stamps };
}

const READS: readonly string[] = ["get", "has", "entries"];

/** Fields that an operation reads or writes; `undefined` for all. */
function touchedFields(operation: Operation): ReadonlySet<string> | undefined {
  switch (operation.verb) {
    case "entries":
    case "clear":
    case "drain":
    case "isEmpty":
      return undefined;
    case "setAll":
      return new Set(setAllEntries(operation).map(([field]) => encodeField(field)));
    default:
      return new Set([encodeField(operation.field)]);
  }
}
