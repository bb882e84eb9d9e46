/** How timers stand in a manifest: as states of kinds of their own, which are never matched by name. */

import type { Codec, KeyCodec } from "../contracts/codec.js";

/** By which time a timer fires. */
export type TimerKind = "event" | "processing";

export const TIMER_KINDS: readonly TimerKind[] = ["event", "processing"];

/** Where the composite key of a timer has its record key: behind the time. */
export const TIME_BYTES = 8;

/** Timers have no value. */
export const NO_VALUE: Codec<unknown> = Object.freeze({
  id: "none",
  version: 1,
  write() {},
  read: () => undefined,
  own: (value: unknown) => value,
} satisfies Codec<unknown>);

/** The kind of state that timers are in a manifest. */
export function stateKindOf(kind: TimerKind): string {
  return `${kind}-timers`;
}

export function isTimerKind(stateKind: string): boolean {
  return TIMER_KINDS.some((kind) => stateKindOf(kind) === stateKind);
}

/** The timers of an operator in the terms of a manifest, without ids. */
export function declaredTimers(namespace: KeyCodec<unknown> | undefined) {
  return TIMER_KINDS.map((kind) => ({
    name: stateKindOf(kind),
    kind: stateKindOf(kind),
    codec: { id: NO_VALUE.id, version: NO_VALUE.version },
    ...(namespace === undefined ? {} : { namespace: { id: namespace.id, version: namespace.version } }),
  }));
}
