/** The state of the job as plain data: what is compared, however it was computed. */

/** One flight, at the airport that it left from. */
export interface Flight {
  /** Departure in local time, as if it were UTC: milliseconds since 1970. */
  readonly date: number;
  readonly destination: string;
  /** Minutes; negative is early. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
}

export interface DelaySummary {
  /** Minutes. */
  readonly mean: number;
  /** Minutes. */
  readonly max: number;
  /** Share of the flights less than 15 minutes late. */
  readonly onTimeShare: number;
}

const DAY_MS = 86_400_000;

/** What a flight counts under in `daily`. */
export function dayOf({ destination, date }: Flight): string {
  return `${destination} ${Math.floor(date / DAY_MS)}`;
}

export type ByAirport<Value> = Readonly<Record<string, Value>>;

export interface FlightState {
  readonly flights: ByAirport<number>;
  readonly delay: ByAirport<DelaySummary>;
  /** Flights by destination. */
  readonly destinations: ByAirport<ByAirport<number>>;
  /** The last flights: at least the last 20, fewer than 40. */
  /** Flights by destination and day, if they are asked for. */
  readonly daily: ByAirport<ByAirport<number>>;
  readonly recent: ByAirport<readonly Flight[]>;
  readonly worst: ByAirport<Flight>;
  /** Rows of the file that are in the state, counted from the first. */
  readonly position: readonly number[];
}
