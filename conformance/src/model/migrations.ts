/**
 * How values of one format become values of the next: user code, which the model and the codecs of the job both call.
 *
 * Invariants:
 * - No two steps have the same effect, and doing one twice shows.
 */

import type { Accumulator, StateKind } from "./catalog.js";

/** The newest format. Format 0 is what the default codec writes. */
export const LAST_FORMAT = 2;

/** A value, element, accumulator or text of format `step - 1` in format `step`. */
export function migrated(kind: StateKind, value: unknown, step: number): unknown {
  if (kind === "reducing") return [...`${value as string}~${step}`].slice(-64).join("");
  if (kind !== "aggregating") return [`format ${step}`, value];
  const { count, seen } = value as Accumulator;
  return { count, seen: new Map(seen).set(`~${step}`, count) };
}
