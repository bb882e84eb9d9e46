/** The state that the job must end with, computed in plain JavaScript from the file alone. Nothing of Tidemark is used here. */

import { readFlights } from "./flight-file.js";
import type { Flight, FlightState } from "./flight-state.js";

class Airport {
  flights = 0;
  delaySum = 0;
  delayMax = Number.NEGATIVE_INFINITY;
  lateFlights = 0;
  worst: Flight | undefined;
  readonly recent: Flight[] = [];
  readonly destinations = new Map<string, number>();
}

/** The state after the first `events` flights. */
export async function expectedState(events: number): Promise<FlightState> {
  const airports = new Map<string, Airport>();
  let position = 0;
  for await (const { start, end, date, delay, distance, origin, destination } of readFlights(0, events)) {
    for (let i = 0; i < end - start; i++) {
      depart(airportOf(airports, origin[i] as string), {
        date: date[i] as number,
        destination: destination[i] as string,
        delay: delay[i] as number,
        distance: distance[i] as number,
      });
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
  airport.destinations.set(flight.destination, (airport.destinations.get(flight.destination) ?? 0) + 1);
  airport.recent.push(flight);
  if (airport.recent.length === 40) airport.recent.splice(0, 20);
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
    recent: each(({ recent }) => recent),
    worst: each(({ worst }) => worst as Flight),
    position: [position],
  };
}
