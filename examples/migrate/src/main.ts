/** Counts half of the departures in memory, stops with a savepoint, and goes on as another version of the program on files. */

import { join } from "node:path";
import { openTask } from "@tidemark/core";
import { directory, filesystem } from "@tidemark/filesystem";
import { memory } from "@tidemark/memory";
import { type Departure, digestOf, inTemporaryDirectory, readDepartures } from "@tidemark-examples/data";
import { after, before, type Route } from "./operators.js";

const routeOf = ({ origin, destination }: Departure): string => `${origin}-${destination}`;

/** The old program: a count per route, in memory. */
async function countHalf(departures: readonly Departure[], place: string): Promise<void> {
  const task = await openTask(before, { job: "routes", backend: memory() });
  const half = departures.length / 2;
  for (const departure of departures.slice(0, half)) {
    const route = routeOf(departure);
    task.route.set(route, (task.route.getSync(route) ?? 0) + 1);
  }
  task.position.set([half]);
  const { id, fullBytes } = await task.savepoint(directory(place));
  console.log(`savepoint ${id} of the old program: ${fullBytes} bytes`);
  await task.close();
}

/** The new program: a count and delays per route, on files. */
async function countRest(departures: readonly Departure[], place: string, work: string): Promise<Map<string, Route>> {
  const task = await openTask(after, {
    job: "routes-2",
    backend: filesystem({ directory: work }),
    restore: { savepoint: directory(place) },
  });
  const start = task.position.get()[0] ?? 0;
  console.log(`the new program goes on at departure ${start}`);
  for (const departure of departures.slice(start)) {
    const route = routeOf(departure);
    const { departures: count, delayMinutes } = task.route.getSync(route);
    task.route.set(route, { departures: count + 1, delayMinutes: delayMinutes + departure.delayMinutes });
  }
  await task.checkpoint();
  const routes = new Map<string, Route>();
  for (const route of task.route.keysSync()) routes.set(route, task.route.getSync(route));
  await task.close();
  return routes;
}

function expectedRoutes(departures: readonly Departure[]): Map<string, Route> {
  const routes = new Map<string, Route>();
  for (const [at, departure] of departures.entries()) {
    const route = routeOf(departure);
    const known = routes.get(route) ?? { departures: 0, delayMinutes: 0 };
    const delay = at < departures.length / 2 ? 0 : departure.delayMinutes;
    routes.set(route, { departures: known.departures + 1, delayMinutes: known.delayMinutes + delay });
  }
  return routes;
}

const departures = await readDepartures();
const found = await inTemporaryDirectory(async (root) => {
  await countHalf(departures, join(root, "savepoint"));
  return countRest(departures, join(root, "savepoint"), join(root, "work"));
});
const digest = digestOf(found);
const expected = digestOf(expectedRoutes(departures));
console.log(`${found.size} routes`);
console.log(digest === expected ? `migrate: match ${digest}` : `migrate: DIFFER ${digest} expected ${expected}`);
process.exitCode = digest === expected ? 0 : 1;
