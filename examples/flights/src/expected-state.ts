/** The state that the job must end with, computed in plain JavaScript from the file alone. Nothing of Tidemark is used here. */

import { readFlights } from "./flight-file.js";
import { dayOf, type Flight, type FlightState } from "./flight-state.js";

class Airport {
  flights = 0;
  delaySum = 0;
  delayMax = Number.NEGATIVE_INFINITY;
  lateFlights = 0;
  worst: Flight | undefined;
  readonly recent: Flight[] = [];
  readonly destinations = new Map<string, number>();
  readonly daily = new Map<string, number>();
}

export interface ExpectedWork {
  readonly events: number;
  /** Whether flights are counted by destination and day too. */
  readonly daily: boolean;
}

/** The state after the first `events` flights. */
export async function expectedState({ events, daily }: ExpectedWork): Promise<FlightState> {
  const airports = new Map<string, Airport>();
  let position = 0;
  for await (const { start, end, date, delay, distance, origin, destination } of readFlights(0, events)) {
    for (let i = 0; i < end - start; i++) {
      const airport = airportOf(airports, origin[i] as string);
      const flight = {
        date: date[i] as number,
        destination: destination[i] as string,
        delay: delay[i] as number,
        distance: distance[i] as number,
      };
      depart(airport, flight);
      if (daily) count(airport.daily, dayOf(flight));
      position++;
    }
  }
  return asState(airports, position);
}

function airportOf(airports: Map<string, Airport>, name: string): Airport {
  let airport = airports.get(name);
  if (airport === undefined) {
    airport = new Airport();
    airports.set(name, airport);
  }
  return airport;
}

function depart(airport: Airport, flight: Flight): void {
  airport.flights++;
  airport.delaySum += flight.delay;
  if (flight.delay > airport.delayMax) {
    airport.delayMax = flight.delay;
    airport.worst = flight;
  }
  if (flight.delay >= 15) airport.lateFlights++;
  count(airport.destinations, flight.destination);
  airport.recent.push(flight);
  if (airport.recent.length === 40) airport.recent.splice(0, 20);
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function asState(airports: ReadonlyMap<string, Airport>, position: number): FlightState {
  const each = <Content>(content: (airport: Airport) => Content): Record<string, Content> =>
    Object.fromEntries([...airports].map(([name, airport]) => [name, content(airport)]));
  return {
    flights: each(({ flights }) => flights),
    delay: each(({ flights, delaySum, delayMax, lateFlights }) => ({
      mean: delaySum / flights,
      max: delayMax,
      onTimeShare: (flights - lateFlights) / flights,
    })),
    destinations: each(({ destinations }) => Object.fromEntries(destinations)),
    daily: Object.fromEntries(
      [...airports].flatMap(([name, { daily }]) => (daily.size === 0 ? [] : [[name, Object.fromEntries(daily)]])),
    ),
    recent: each(({ recent }) => recent),
    worst: each(({ worst }) => worst as Flight),
    position: [position],
  };
}
