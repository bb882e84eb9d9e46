/** The operator: what is kept per airport of origin, and how one flight changes it. */

import {
  aggregating,
  type Backend,
  type CheckpointListener,
  defineOperator,
  integer,
  list,
  map,
  openTask,
  reducing,
  splitList,
  string,
  type TaskOf,
  value,
} from "@tidemark/core";
import { type FlightColumns, flightAt, originAt } from "./flight-file.js";
import { dayOf, type DelaySummary, type Flight } from "./flight-state.js";

const ON_TIME_BELOW_MINUTES = 15;
export const RECENT_COUNT = 20;

interface DelayTotals {
  readonly count: number;
  readonly sum: number;
  readonly max: number;
  readonly onTime: number;
}

const delayTotals = {
  create: (): DelayTotals => ({ count: 0, sum: 0, max: -Infinity, onTime: 0 }),
  add: (delay: number, { count, sum, max, onTime }: DelayTotals): DelayTotals => ({
    count: count + 1,
    sum: sum + delay,
    max: Math.max(max, delay),
    onTime: onTime + (delay < ON_TIME_BELOW_MINUTES ? 1 : 0),
  }),
  result: ({ count, sum, max, onTime }: DelayTotals): DelaySummary => ({
    mean: sum / count,
    max,
    onTimeShare: onTime / count,
  }),
};

const airports = defineOperator("airports", {
  key: string(),
  states: {
    flights: value<number>({ default: 0 }),
    delay: aggregating(delayTotals),
    destinations: map<string, number>(),
    daily: map<string, number>(),
    recent: list<Flight>(),
    worst: reducing<Flight>((worst, flight) => (flight.delay > worst.delay ? flight : worst)),
    /** Rows of the file that are in the state. */
    position: splitList<number>({ codec: integer() }),
  },
});

/** The task on any backend: reads give promises. */
export type AirportsTask = Awaited<ReturnType<typeof openAirports>>;
/** The task on a backend that can look up single rows without a promise. */
export type PointAirportsTask = AirportsTask & TaskOf<typeof airports, "point">;

/** Opens the task: continues from the latest checkpoint of the backend, if there is one. */
export function openAirports(backend: Backend, listener: CheckpointListener = {}) {
  return openTask(airports, { job: "flights", backend: backend as Backend<false>, listener });
}

/** Whether single rows of the task can be looked up without a promise. */
export function readsPoints(task: AirportsTask): task is PointAirportsTask {
  return "getSync" in task.flights;
}

/** How many rows of the file are in the state. */
export function positionOf(task: AirportsTask): number {
  return task.position.get()[0] ?? 0;
}

/** Where flights come from, and what is done with them. */
export interface Intake {
  readonly columns: FlightColumns;
  /** Whether flights are counted by destination and day too. */
  readonly isDaily: boolean;
}

/**
 * Takes row `row` into the state: first what has to be waited for is read, then the changes and the new position are made in one
 * synchronous stretch, so that a checkpoint holds both or neither. A promise only if there was something to wait for; the next
 * flight comes after it.
 */
export function addFlight(
  task: PointAirportsTask,
  row: number,
  { columns, isDaily }: Intake,
): Promise<void> | undefined {
  const airport = originAt(columns, row);
  const flight = flightAt(columns, row);
  const flights = task.flights.getSync(airport) + 1;
  const change = { airport, flight, flights, position: row + 1, isDaily };
  if (flights % RECENT_COUNT === 0) return trimAndChange(task, change);
  task.recent.add(airport, flight);
  changeOthers(task, change);
  return undefined;
}

interface Change {
  readonly airport: string;
  readonly flight: Flight;
  readonly flights: number;
  readonly position: number;
  readonly isDaily: boolean;
}

/** Appending costs the same however long the list is, and rewriting does not: so it is done once in 20 flights. */
async function trimAndChange(task: PointAirportsTask, change: Change): Promise<void> {
  const { airport, flight } = change;
  const recent = await task.recent.get(airport);
  task.recent.set(airport, [...recent, flight].slice(-RECENT_COUNT));
  changeOthers(task, change);
}

function changeOthers(task: PointAirportsTask, { airport, flight, flights, position, isDaily }: Change): void {
  const { destination, delay } = flight;
  task.flights.set(airport, flights);
  task.delay.addSync(airport, delay);
  task.destinations.set(airport, destination, (task.destinations.getSync(airport, destination) ?? 0) + 1);
  if (isDaily) task.daily.set(airport, dayOf(flight), (task.daily.getSync(airport, dayOf(flight)) ?? 0) + 1);
  task.worst.addSync(airport, flight);
  task.position.set([position]);
}
