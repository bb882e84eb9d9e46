/**
 * Large working state in LevelDB: what a process takes in memory, and how soon it works again.
 *
 * - `resident at most`: 10,000,000 keys are written, and as many changes made, with a memory of a quarter of the state; against one and a half times that
 *   memory plus what the process took before. LevelDB maps its tables into memory: the system lets go of them when it needs room, and until
 *   then they count. `resident at most, tables left out` is without files, sampled (Linux).
 * - `restarted`: 5,000,000 keys; `openTask` on working state that is there, up to the first changed record, against the same without
 *   working state.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { keyAt } from "../harness/keys.js";
import { measured } from "../harness/rows.js";
import type { Places, Suite } from "../harness/suite.js";
import { fillState, openFirst, openState, removeWorkingState, type TextTask } from "./lsm-state.js";
import { SeededRandom } from "../harness/random.js";
import { BATCH, budgetOf, countIn, valueWith } from "./lsm-work.js";

const RESIDENT_SHARE = 1.5;
const MIB = 1024 * 1024;

interface Trial {
  readonly side: "resident" | "fill" | "restarted" | "rebuilt";
  readonly keyCount: number;
}

interface Result {
  readonly seconds: number;
  readonly residentMiB: number;
  /** Without what is mapped from files. */
  readonly anonymousMiB: number;
  /** Before anything was opened. */
  readonly bareMiB: number;
}

export const lsmLarge: Suite<Trial, Result> = {
  name: "lsm-large",
  backends: ["lsm"],
  heapMiB: 1024,
  isSkippedByQuick: true,
  trials: () => [
    { side: "fill", keyCount: 5_000_000 },
    { side: "restarted", keyCount: 5_000_000 },
    { side: "rebuilt", keyCount: 5_000_000 },
    { side: "resident", keyCount: 10_000_000 },
  ],
  run: (trial, _backend, places) => run(trial, places),
  rows(trials) {
    const of = (side: Trial["side"]): Result | undefined => trials.find(({ trial }) => trial.side === side)?.result;
    const resident = of("resident");
    const budgetMiB = budgetOf(trials.find(({ trial }) => trial.side === "resident")?.trial.keyCount ?? 0) / MIB;
    return [
      measured({
        metric: "restarted, against rebuilt",
        unit: "s",
        values: [of("restarted")?.seconds ?? Number.NaN],
        floors: [of("rebuilt")?.seconds ?? Number.NaN],
      }),
      measured({
        metric: "resident at most",
        unit: "MiB",
        values: [resident?.residentMiB ?? Number.NaN],
        floors: [RESIDENT_SHARE * budgetMiB + (resident?.bareMiB ?? Number.NaN)],
        rule: { of: "ratio", is: "at most", bar: 1 },
      }),
      measured({
        metric: "resident at most, tables left out",
        unit: "MiB",
        values: [resident?.anonymousMiB ?? Number.NaN],
        floors: [RESIDENT_SHARE * budgetMiB + (resident?.bareMiB ?? Number.NaN)],
      }),
    ];
  },
};

async function run({ side, keyCount }: Trial, { own, shared }: Places): Promise<Result> {
  const bareMiB = process.memoryUsage().rss / MIB;
  const place = { directory: join(side === "resident" ? own : shared, "state"), budgetBytes: budgetOf(keyCount) };
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const residentMiB = (): number => process.resourceUsage().maxRSS / 1024;
  if (side === "rebuilt") await removeWorkingState(place.directory);
  if (side === "rebuilt" || side === "restarted") {
    const ms = await openFirst(place);
    return { seconds: ms / 1000, residentMiB: residentMiB(), anonymousMiB: anonymousMiB(), bareMiB };
  }
  const task = await openState(place);
  await fillState(task, keyCount, keyAt);
  const mostMiB = side === "resident" ? await change(task, keyCount) : anonymousMiB();
  await task.close();
  return { seconds: seconds(), residentMiB: residentMiB(), anonymousMiB: mostMiB, bareMiB };
}

/** As many changes as there are keys. Resolves to the most memory on the way that is not mapped from files, MiB. */
async function change(task: TextTask, keyCount: number): Promise<number> {
  // Drawn one by one: a list of them would count as memory of the state.
  const random = new SeededRandom(1);
  let mostMiB = 0;
  for (let at = 0; at < keyCount; at++) {
    const key = keyAt(random.below(keyCount));
    task.text.set(key, valueWith(countIn(task.text.getSync(key) as string) + 1));
    if (at % BATCH !== 0) continue;
    mostMiB = Math.max(mostMiB, anonymousMiB());
    await task.ready();
  }
  await task.checkpoint();
  return mostMiB;
}

function anonymousMiB(): number {
  if (process.platform !== "linux") return Number.NaN;
  const [, kib] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kib) / 1024;
}
