/** What is kept per airport, and what is to be said of it. */

import { defineOperator, splitList, string, value } from "@tidemark/core";

export interface Totals {
  readonly departures: number;
  readonly delayMinutes: number;
}

/** Said of an airport at each tenth departure. */
export interface Milestone extends Totals {
  readonly airport: string;
}

/** A milestone that waits for the checkpoint that it is in. Numbers have no gaps, and each is given once. */
export interface Outgoing {
  readonly number: number;
  readonly milestone: Milestone;
}

/** Where the source is read on: the id of the last entry whose effects are in the state, and how many there were. */
export interface Position {
  readonly id: string;
  readonly count: number;
}

export const MILESTONE_EVERY = 10;

export const delays = defineOperator("delays", {
  key: string(),
  states: {
    totals: value<Totals>({ default: { departures: 0, delayMinutes: 0 } }),
    position: splitList<Position>(),
    outbox: splitList<Outgoing>(),
    /** How many milestones there were: the number of the last. */
    lastNumber: splitList<number>(),
  },
});
