/**
 * The digest of a state: SHA-256 over its canonical JSON.
 *
 * Invariants:
 * - Equal states have equal digests, whatever the order in which their members were added.
 * - What JSON would bend (undefined, NaN, infinities) is refused, so that different states cannot have equal digests.
 */

import { createHash } from "node:crypto";
import type { FlightState } from "./flight-state.js";

export interface StateDigest {
  /** Over everything, as hexadecimal. */
  readonly digest: string;
  /** Over each state by itself: tells where two digests part. */
  readonly digests: Readonly<Record<string, string>>;
}

export function digestState(state: FlightState): StateDigest {
  const parts = Object.entries(state).map(([name, content]) => [name, sha256(canonicalJson(content))] as const);
  return { digest: sha256(canonicalJson(state)), digests: Object.fromEntries(parts) };
}

/** JSON without spaces, members sorted by UTF-16 code units, numbers as `JSON.stringify` writes them. */
export function canonicalJson(content: unknown): string {
  if (Array.isArray(content)) return `[${content.map(canonicalJson).join(",")}]`;
  if (typeof content === "object" && content !== null) {
    const members = Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(",")}}`;
  }
  const isExact = typeof content === "string" || typeof content === "boolean" || Number.isFinite(content);
  if (isExact || content === null) return JSON.stringify(content);
  throw new TypeError(`The state holds what JSON cannot express. type=${typeof content}.`);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
