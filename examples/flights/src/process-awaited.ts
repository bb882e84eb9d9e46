/**
 * The same work on a backend whose reads have to be waited for: hundreds of flights are in flight, those of one airport in the order of the file.
 *
 * Invariants:
 * - The position is in the state as soon as a flight is admitted; a barrier waits for the flights in flight. So a checkpoint holds the effects of exactly
 *   the flights before its position.
 * - What is needed of the state is asked for in one turn of the event loop, so that it is one call to the server for all flights in flight.
 */

import { setImmediate } from "node:timers/promises";
import { type AirportsTask, type Intake, RECENT_COUNT } from "./airports.js";
import { flightAt, originAt } from "./flight-file.js";
import { dayOf, type Flight } from "./flight-state.js";

/** Flights admitted per turn of the event loop. */
const TURN_COUNT = 250;

export interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly intake: Intake;
  readonly crash: AbortSignal;
  readonly progressed: (position: number) => void;
}

/** Resolves when all flights of the stretch are in the state, or soon after a crash. */
export function processAwaited(task: AirportsTask, stretch: Stretch): Promise<void> {
  const { columns } = stretch.intake;
  return task.process(
    rowsOf(stretch),
    (row) => originAt(columns, row),
    (row, airport) => addFlightAwaited(task, airport, { row, ...stretch.intake }),
    { admitted: (row) => task.position.set([row + 1]) },
  );
}

async function* rowsOf({ start, end, crash, progressed }: Stretch): AsyncGenerator<number, void, undefined> {
  for (let row = start; row < end && !crash.aborted; row++) {
    yield row;
    if ((row + 1) % TURN_COUNT === 0 || row + 1 === end) {
      progressed(row + 1);
      // Answers come in, and checkpoints go out.
      await setImmediate();
    }
  }
}

async function addFlightAwaited(
  task: AirportsTask,
  airport: string,
  { row, columns, isDaily }: Intake & { readonly row: number },
): Promise<void> {
  const flight = flightAt(columns, row);
  const { destination, delay } = flight;
  await Promise.all([
    addRecent(task, airport, flight),
    task.delay.add(airport, delay),
    task.worst.add(airport, flight),
    count(task.destinations, airport, destination),
    isDaily ? count(task.daily, airport, dayOf(flight)) : undefined,
  ]);
}

/** Appending costs the same however long the list is, and rewriting does not: so it is done once in 20 flights. */
async function addRecent(task: AirportsTask, airport: string, flight: Flight): Promise<void> {
  const flights = (await task.flights.get(airport)) + 1;
  task.flights.set(airport, flights);
  if (flights % RECENT_COUNT !== 0) return task.recent.add(airport, flight);
  const recent = await task.recent.get(airport);
  task.recent.set(airport, [...recent, flight].slice(-RECENT_COUNT));
}

async function count(counts: AirportsTask["destinations"], airport: string, name: string): Promise<void> {
  counts.set(airport, name, ((await counts.get(airport, name)) ?? 0) + 1);
}
