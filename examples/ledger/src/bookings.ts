/** What a flight books: one airport pays another, in cents. */

import type { Departure } from "@tidemark-examples/data";

export interface Booking {
  /** The number of the flight in the input, from 1. */
  readonly flight: number;
  readonly debit: string;
  readonly credit: string;
  readonly cents: number;
}

const LANDING_CENTS = 12_345;
const MILE_CENTS = 7;
const LATE_MINUTE_CENTS = 99;

/** The airport of origin pays the other one for the landing, for each mile, and for each minute that the flight was late. */
export function bookingOf({ origin, destination, distanceMiles, delayMinutes }: Departure, at: number): Booking {
  const cents = LANDING_CENTS + MILE_CENTS * distanceMiles + LATE_MINUTE_CENTS * Math.max(0, delayMinutes);
  return { flight: at + 1, debit: origin, credit: destination, cents };
}

/** What bookings change, per account. Adds up to nothing. */
export function changesOf(bookings: readonly Booking[]): ReadonlyMap<string, number> {
  const changes = new Map<string, number>();
  const add = (account: string, cents: number): void => void changes.set(account, (changes.get(account) ?? 0) + cents);
  for (const { debit, credit, cents } of bookings) {
    add(debit, -cents);
    add(credit, cents);
  }
  return changes;
}
