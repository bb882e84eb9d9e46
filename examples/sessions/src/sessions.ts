/**
 * Session windows: departures of an airport that follow one another within the gap are one session.
 *
 * A session has a namespace of its own, named by its start. A departure between two sessions joins them: their namespaces are merged.
 * When the watermark has passed the end of a session, its timer closes it.
 */

import { aggregating, defineOperator, list, map, namespaced, number, splitList, string } from "@tidemark/core";

export const GAP_MS = 4 * 60 * 60_000;

/** What is known of the departures in a session. */
interface Totals {
  readonly count: number;
  readonly delayMinutes: number;
}

export interface Session {
  readonly airport: string;
  readonly start: number;
  readonly end: number;
  readonly departures: number;
  readonly delayMinutes: number;
}

const totals = {
  create: (): Totals => ({ count: 0, delayMinutes: 0 }),
  add: (delayMinutes: number, sum: Totals): Totals => ({
    count: sum.count + 1,
    delayMinutes: sum.delayMinutes + delayMinutes,
  }),
  merge: (a: Totals, b: Totals): Totals => ({
    count: a.count + b.count,
    delayMinutes: a.delayMinutes + b.delayMinutes,
  }),
  result: (sum: Totals): Totals => sum,
};

export const sessions = defineOperator("sessions", {
  key: string(),
  states: {
    /** Open sessions of an airport: start to end. */
    open: map<number, number>(),
    /** By the start of the session. */
    totals: namespaced(number(), aggregating(totals)),
    closed: list<Session>(),
    /** How many departures have been read. */
    position: splitList<number>(),
  },
  timers: { namespace: number() },
});
