/** The process that consumes, until it is killed or the stream has ended. */

import { Redis } from "ioredis";
import { consume, openDelays, type Place, type Stage } from "./consume.js";

/** What a worker tells its parent: where it went on from, or what it is about to do. */
export type WorkerMessage =
  | { readonly type: "opened"; readonly restoredFrom: number | undefined }
  | { readonly type: "stage"; readonly stage: Stage; readonly count: number };

const tell = (message: WorkerMessage): void => void process.send?.(message);

process.on("disconnect", () => process.exit());
const place = JSON.parse(process.argv[2] ?? "") as Place;
const client = new Redis(place.url);
const task = await openDelays(place);
tell({ type: "opened", restoredFrom: task.restoredFrom });
await consume(task, client, (stage, count) => tell({ type: "stage", stage, count }));
await task.close();
client.disconnect();
process.disconnect();
