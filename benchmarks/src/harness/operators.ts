/** The operators that the suites keep state with, and what they store. */

import { defineOperator, string, value } from "@tidemark/core";

/** A number for each key. */
export const counting = defineOperator("counting", {
  key: string(),
  states: { counter: value<number>({ default: 0 }) },
});

/** What one row of a table might hold: about 100 bytes encoded. */
export interface Account {
  readonly owner: string;
  readonly visits: number;
  readonly spent: number;
  readonly isActive: boolean;
  readonly changedAt: number;
  readonly note: string;
}

export const EMPTY_ACCOUNT: Account = account(0);

/** A record for each key. */
export const accounting = defineOperator("accounting", {
  key: string(),
  states: { account: value<Account>({ default: EMPTY_ACCOUNT }) },
});

/** Record number `index`. */
export function account(index: number): Account {
  return {
    owner: `owner-${index % 9973}`,
    visits: index % 1000,
    spent: index / 8 + 0.1,
    isActive: index % 3 === 0,
    changedAt: 1_700_000_000_000 + index,
    note: "paid by card every month",
  };
}
