/**
 * Registering event timers and firing them all, against a bare binary heap and a `Set` that does the same and keeps nothing.
 *
 * How: every side of every repetition has a process of its own, and the sides take turns. Both get the same timers in the same order,
 * and count what fires. `distinct`: as many keys as timers. `shared`: a tenth of the keys, and times that many timers have.
 */

import { defineOperator, openTask, string } from "@tidemark/core";
import { type BackendName, backendOf } from "../harness/backends.js";
import { BareTimers } from "../harness/bare-timers.js";
import { cleanHeap } from "../harness/clean-heap.js";
import { keysUpTo, uniformPicks } from "../harness/keys.js";
import { measured } from "../harness/rows.js";
import type { Places, Scale, Suite } from "../harness/suite.js";
import { takeTurns } from "../harness/take-turns.js";

const LOADS = ["distinct", "shared"] as const;
const SIDES = ["tidemark", "bare"] as const;

interface Trial {
  readonly load: (typeof LOADS)[number];
  readonly side: (typeof SIDES)[number];
  readonly repetition: number;
  readonly timerCount: number;
}

/** Timers a second. */
interface Speeds {
  readonly register: number;
  readonly fire: number;
  readonly both: number;
}

interface Wanted {
  readonly keys: readonly string[];
  readonly keyOf: Uint32Array;
  readonly timeOf: Uint32Array;
}

const operator = defineOperator("timers", { key: string(), states: {}, timers: true });
const UNTIL = 2 ** 32;

export const timers: Suite<Trial, Speeds> = {
  name: "timers",
  backends: ["memory"],
  heapMiB: 4096,
  trials({ isQuick, repetitions }: Scale) {
    const timerCount = isQuick ? 100_000 : 1_000_000;
    return LOADS.flatMap((load) =>
      takeTurns(SIDES, repetitions, (side, repetition) => ({ load, side, repetition, timerCount })),
    );
  },
  run: (trial, backend, places) =>
    trial.side === "bare" ? Promise.resolve(measureBare(wanted(trial))) : measureTask(wanted(trial), backend, places),
  rows(trials) {
    return LOADS.flatMap((load) =>
      (["register", "fire", "both"] as const).map((metric) => {
        const of = (side: Trial["side"]): number[] =>
          trials.filter(({ trial }) => trial.side === side && trial.load === load).map(({ result }) => result[metric]);
        return measured({
          metric: `${load}: ${metric === "both" ? "register and fire" : metric}`,
          unit: "timers/s",
          values: of("tidemark"),
          floors: of("bare"),
          ...(metric === "both" ? { rule: { of: "ratio", is: "at least", bar: 0.5 } } : {}),
        });
      }),
    );
  },
};

function wanted({ load, repetition, timerCount }: Trial): Wanted {
  const keyCount = load === "distinct" ? timerCount : timerCount / 10;
  const keyOf =
    load === "distinct" ? Uint32Array.from({ length: timerCount }, (_, i) => i) : uniformPicks(timerCount, keyCount, 1);
  const timeOf = uniformPicks(timerCount, load === "distinct" ? UNTIL - 1 : timerCount / 100, repetition + 2);
  return { keys: keysUpTo(keyCount), keyOf, timeOf };
}

async function measureTask({ keys, keyOf, timeOf }: Wanted, name: BackendName, places: Places): Promise<Speeds> {
  const task = await openTask(operator, { job: "timers", backend: backendOf(name, places.own) });
  let fired = 0;
  task.timers.onFire(() => {
    fired++;
  });
  const { event } = task.timers;
  cleanHeap();
  const started = performance.now();
  for (let at = 0; at < keyOf.length; at++) event.register(keys[keyOf[at] as number] as string, timeOf[at] as number);
  const registered = performance.now();
  const count = event.size;
  await task.advanceWatermark(UNTIL);
  return speeds({ started, registered, ended: performance.now() }, { registered: keyOf.length, count, fired });
}

function measureBare({ keys, keyOf, timeOf }: Wanted): Speeds {
  const bare = new BareTimers();
  cleanHeap();
  let fired = 0;
  const started = performance.now();
  for (let at = 0; at < keyOf.length; at++) bare.register(keys[keyOf[at] as number] as string, timeOf[at] as number);
  const registered = performance.now();
  while (bare.poll(UNTIL) !== undefined) fired++;
  return speeds({ started, registered, ended: performance.now() }, { registered: keyOf.length, count: fired, fired });
}

function speeds(
  at: { readonly started: number; readonly registered: number; readonly ended: number },
  { registered, count, fired }: { readonly registered: number; readonly count: number; readonly fired: number },
): Speeds {
  if (fired !== count) throw new Error(`Not every timer fired once. registered=${count} fired=${fired}.`);
  const perSecond = (timerCount: number, ms: number): number => (timerCount * 1000) / ms;
  return {
    register: perSecond(registered, at.registered - at.started),
    fire: perSecond(fired, at.ended - at.registered),
    both: perSecond(registered + fired, at.ended - at.started),
  };
}
