/** Reads the whole state of a task through its handles. */

import type { AirportsTask } from "./airports.js";
import type { ByAirport, FlightState } from "./flight-state.js";

/** Every state lists its own keys: a key too many or too few in one of them shows. */
export async function readState(task: AirportsTask): Promise<FlightState> {
  const { flights, delay, destinations, daily, recent, worst, position } = task;
  return {
    flights: await collect(flights),
    delay: await collect(delay),
    destinations: await collect(asObjects(destinations)),
    daily: await collect(asObjects(daily)),
    recent: await collect(recent),
    worst: await collect(worst),
    position: position.get(),
  };
}

interface Readable<Value> {
  keys(): AsyncIterable<string>;
  get(airport: string): Promise<Value>;
}

interface CountsByKey {
  keys(): AsyncIterable<string>;
  entries(airport: string): AsyncIterable<readonly [string, number]>;
}

async function collect<Value>(state: Readable<Value>): Promise<ByAirport<NonNullable<Value>>> {
  const found: [string, NonNullable<Value>][] = [];
  for await (const airport of state.keys()) found.push([airport, present(await state.get(airport))]);
  return Object.fromEntries(found);
}

function asObjects(counts: CountsByKey): Readable<Readonly<Record<string, number>>> {
  return {
    keys: () => counts.keys(),
    get: async (airport) => Object.fromEntries(await all(counts.entries(airport))),
  };
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

function present<Value>(content: Value): NonNullable<Value> {
  if (content === undefined || content === null) throw new TypeError("A state lists a key that it does not have.");
  return content;
}
