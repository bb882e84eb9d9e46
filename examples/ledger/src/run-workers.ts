/** Starts workers one after the other, and kills them at moments that a seed decides. */

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { WorkerSettings } from "./worker.js";

export interface Kills {
  readonly kills: number;
  readonly seed: number;
}

const WORKER = fileURLToPath(new URL("./worker.js", import.meta.url));
/** What a worker tells before it is killed, at most: few enough that the input lasts for 40 kills. */
const MESSAGES_MAX = 16;

/** Resolves with the moments at which workers were killed, when one has come to its end. */
export async function runWorkers(url: string, settings: WorkerSettings, { kills, seed }: Kills): Promise<string[]> {
  const random = seededRandom(seed);
  const moments: string[] = [];
  while (true) {
    const after = moments.length < kills ? 1 + Math.floor(random() * MESSAGES_MAX) : Number.POSITIVE_INFINITY;
    const child = fork(WORKER, [JSON.stringify(settings)], { env: { ...process.env, LEDGER_URL: url } });
    const killed = await ended(child, after);
    if (killed === undefined) return moments;
    moments.push(killed);
  }
}

/** Kills at message number `after`; resolves with what it said. `undefined` if the child came to its end before. */
function ended(child: ChildProcess, after: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let count = 0;
    let last = "";
    child.on("message", (moment: string) => {
      if (++count !== after) return;
      last = moment;
      child.kill("SIGKILL");
    });
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (signal === "SIGKILL" && last !== "") resolve(last);
      else if (code === 0) resolve(undefined);
      else reject(new Error(`A worker failed. exit=${code} signal=${signal}.`));
    });
  });
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
