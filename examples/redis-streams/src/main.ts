/** Sends departures through a stream to a consumer that is killed five times, and compares with a recount. */

import { digestOf, inTemporaryDirectory, readDepartures } from "@tidemark-examples/data";
import { Redis } from "ioredis";
import { openDelays, type Place } from "./consume.js";
import type { Totals } from "./delays.js";
import { recount, type Result } from "./recount.js";
import { startRedis } from "./server.js";
import { published, sendDepartures } from "./streams.js";
import { type PlannedKill, Supervisor } from "./supervise.js";

const PLAN: readonly PlannedKill[] = [
  { stage: "processing", count: 500 },
  { stage: "checkpoint", count: 4_000 },
  { stage: "publish", count: 7_000 },
  { stage: "processing", count: 11_500 },
  { stage: "forget", count: 15_000 },
];

/** What is in the state, read after a restore, and what is in the stream of results. */
async function resultOf(place: Place, client: Redis): Promise<Result> {
  const task = await openDelays(place);
  const totals = new Map<string, Totals>();
  for await (const airport of task.totals.keys()) totals.set(airport, await task.totals.get(airport));
  await task.close();
  return { totals, milestones: await published(client) };
}

async function run(place: Place): Promise<boolean> {
  const client = new Redis(place.url);
  const supervisor = new Supervisor(place, PLAN);
  // What is under way fails then, and everything is tidied up.
  const stop = (): void => supervisor.stop();
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    const departures = await readDepartures();
    await Promise.all([sendDepartures(client, departures), supervisor.run()]);
    const result = await resultOf(place, client);
    const expected = recount(departures);
    const [digest, expectedDigest] = [result, expected].map(({ totals, milestones }) =>
      digestOf([...totals, ...milestones]),
    );
    console.log(
      `${departures.length} departures, ${result.totals.size} airports, ${result.milestones.length} milestones`,
    );
    const isMatch = digest === expectedDigest;
    console.log(`exactly-once: ${isMatch ? `match ${digest}` : `MISMATCH ${digest} expected ${expectedDigest}`}`);
    return isMatch;
  } finally {
    supervisor.stop();
    client.disconnect();
  }
}

const server = await startRedis({ config: ["--save", "", "--appendonly", "no"] });
try {
  const isMatch = await inTemporaryDirectory((directory) => run({ url: server.url, directory }));
  process.exitCode = isMatch ? 0 : 1;
} finally {
  await server.stop();
}
