/** The result in plain JavaScript, from the departures alone. */

import type { Departure } from "@tidemark-examples/data";
import { MILESTONE_EVERY, type Milestone, type Totals } from "./delays.js";

export interface Result {
  readonly totals: ReadonlyMap<string, Totals>;
  readonly milestones: readonly Milestone[];
}

export function recount(departures: readonly Departure[]): Result {
  const totals = new Map<string, Totals>();
  const milestones: Milestone[] = [];
  for (const { origin: airport, delayMinutes: minutes } of departures) {
    const { departures: count, delayMinutes } = totals.get(airport) ?? { departures: 0, delayMinutes: 0 };
    const next = { departures: count + 1, delayMinutes: delayMinutes + minutes };
    totals.set(airport, next);
    if (next.departures % MILESTONE_EVERY === 0) milestones.push({ airport, ...next });
  }
  return { totals, milestones };
}
