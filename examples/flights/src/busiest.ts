/** The airports with the most flights. */

import type { DelaySummary, Flight, FlightState } from "./flight-state.js";

export interface BusyAirport {
  readonly airport: string;
  readonly flights: number;
  readonly delay: DelaySummary;
  /** The destination with the most flights. */
  readonly topDestination: string;
  readonly topDestinationFlights: number;
  readonly worst: Flight;
}

export function busiestAirports(state: FlightState, count: number): BusyAirport[] {
  return largest(state.flights)
    .slice(0, count)
    .map(([airport, flights]) => {
      const [topDestination, topDestinationFlights] = largest(state.destinations[airport] ?? {})[0] ?? ["", 0];
      const delay = state.delay[airport] as DelaySummary;
      return { airport, flights, delay, topDestination, topDestinationFlights, worst: state.worst[airport] as Flight };
    });
}

/** Descending by count, and by name where counts are equal. */
function largest(counts: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(counts).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}
