/** Reads the whole state of a task through its handles. */

import type { AirportsTask } from "./airports.js";
import type { ByAirport, FlightState } from "./flight-state.js";

/** Every state lists its own keys: a key too many or too few in one of them shows. */
export function readState(task: AirportsTask): FlightState {
  const { flights, delay, destinations, recent, worst, position } = task;
  return {
    flights: collect(flights),
    delay: collect(delay),
    destinations: collect({
      keysSync: () => destinations.keysSync(),
      getSync: (airport) => Object.fromEntries(destinations.entriesSync(airport)),
    }),
    recent: collect(recent),
    worst: collect(worst),
    position: position.get(),
  };
}

interface Readable<Value> {
  keysSync(): Iterable<string>;
  getSync(airport: string): Value;
}

function collect<Value>(state: Readable<Value>): ByAirport<NonNullable<Value>> {
  const found = Array.from(state.keysSync(), (airport) => [airport, present(state.getSync(airport))] as const);
  return Object.fromEntries(found);
}

function present<Value>(content: Value): NonNullable<Value> {
  if (content === undefined || content === null) throw new TypeError("A state lists a key that it does not have.");
  return content;
}
