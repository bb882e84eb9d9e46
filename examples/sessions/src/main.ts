/** Finds sessions of departures, abandoned three times on the way, and compares them with a plain computation. */

import { digestOf, inTemporaryDirectory, readDepartures } from "@tidemark-examples/data";
import { expectedSessions } from "./expected-sessions.js";
import { finish, runUntil } from "./run-sessions.js";

const ABANDONED_AT = [3_500, 9_100, 16_250];

const departures = await readDepartures();
const found = await inTemporaryDirectory(async (directory) => {
  for (const stopAt of ABANDONED_AT) {
    const restoredFrom = await runUntil(departures, directory, stopAt);
    console.log(`restored from checkpoint ${restoredFrom}, abandoned after ${stopAt} departures`);
  }
  return finish(departures, directory);
});
const digest = digestOf(found);
const expected = digestOf(expectedSessions(departures));
console.log(`${departures.length} departures in ${found.length} sessions`);
console.log(digest === expected ? `sessions: match ${digest}` : `sessions: DIFFER ${digest} expected ${expected}`);
process.exitCode = digest === expected ? 0 : 1;
