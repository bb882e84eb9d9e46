/** The same sessions by a plain computation over the sorted departures: what the job must arrive at. */

import type { Departure } from "@tidemark-examples/data";
import { GAP_MS, type Session } from "./sessions.js";

export function expectedSessions(departures: readonly Departure[]): readonly Session[] {
  const last = new Map<string, Session>();
  const all: Session[] = [];
  for (const { origin, planned, delayMinutes } of [...departures].sort((a, b) => a.planned - b.planned)) {
    const before = last.get(origin);
    const session =
      before !== undefined && planned <= before.end
        ? {
            ...before,
            end: planned + GAP_MS,
            departures: before.departures + 1,
            delayMinutes: before.delayMinutes + delayMinutes,
          }
        : { airport: origin, start: planned, end: planned + GAP_MS, departures: 1, delayMinutes };
    if (before !== undefined && session.start !== before.start) all.push(before);
    last.set(origin, session);
  }
  return [...all, ...last.values()];
}
