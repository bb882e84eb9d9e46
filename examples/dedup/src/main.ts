/** Counts the first departure of each route in a day, abandoned twice on the way, and compares with a plain computation. */

import { openTask } from "@tidemark/core";
import { filesystem } from "@tidemark/filesystem";
import { type Departure, digestOf, inTemporaryDirectory, readDepartures } from "@tidemark-examples/data";
import { dedup, REMEMBERED_MS } from "./dedup.js";

const CHECKPOINT_EVERY = 2000;
const ABANDONED_AT = [5_300, 14_900];

const routeOf = ({ origin, destination }: Departure): string => `${origin}-${destination}`;
const open = (directory: string) => openTask(dedup, { job: "dedup", backend: filesystem({ directory }) });

/** Handles departures up to `stopAt`. The task is left open, as after a crash; the next one that opens goes on from its last checkpoint. */
async function runUntil(departures: readonly Departure[], directory: string, stopAt: number) {
  const task = await open(directory);
  for (let at = task.position.get()[0] ?? 0; at < stopAt; at++) {
    const departure = departures[at] as Departure;
    await task.advanceWatermark(departure.left);
    // Between here and the position nothing is awaited: no barrier comes between an event and its position.
    const route = routeOf(departure);
    if (task.seen.getSync(route) === undefined) {
      task.seen.set(route, true);
      task.firsts.set(route, task.firsts.getSync(route) + 1);
    }
    task.position.set([at + 1]);
    if ((at + 1) % CHECKPOINT_EVERY === 0) await task.checkpoint();
  }
  return task;
}

function expectedFirsts(departures: readonly Departure[]): Map<string, number> {
  const since = new Map<string, number>();
  const firsts = new Map<string, number>();
  for (const departure of departures) {
    const route = routeOf(departure);
    const seen = since.get(route);
    if (seen !== undefined && departure.left < seen + REMEMBERED_MS) continue;
    since.set(route, departure.left);
    firsts.set(route, (firsts.get(route) ?? 0) + 1);
  }
  return firsts;
}

const departures = await readDepartures();
const firsts = await inTemporaryDirectory(async (directory) => {
  for (const stopAt of ABANDONED_AT) {
    const task = await runUntil(departures, directory, stopAt);
    console.log(`restored from checkpoint ${task.restoredFrom ?? 0}, abandoned after ${stopAt} departures`);
  }
  const task = await runUntil(departures, directory, departures.length);
  await task.checkpoint();
  const found = new Map<string, number>();
  for (const route of task.firsts.keysSync()) found.set(route, task.firsts.getSync(route));
  await task.close();
  return found;
});
const digest = digestOf(firsts);
const expected = digestOf(expectedFirsts(departures));
console.log(`${departures.length} departures on ${firsts.size} routes`);
console.log(digest === expected ? `dedup: match ${digest}` : `dedup: DIFFER ${digest} expected ${expected}`);
process.exitCode = digest === expected ? 0 : 1;
