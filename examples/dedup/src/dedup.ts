/** Drops events that were seen within the last day, by the time of the events, and forgets what is older. */

import { defineOperator, splitList, string, value } from "@tidemark/core";

export const REMEMBERED_MS = 24 * 60 * 60_000;

export const dedup = defineOperator("dedup", {
  key: string(),
  states: {
    /** There while the event is remembered. A repetition does not prolong it. */
    seen: value<true>({ ttl: { ms: REMEMBERED_MS, time: "event" } }),
    /** How many first events of a route there were. */
    firsts: value<number>({ default: 0 }),
    position: splitList<number>(),
  },
});
