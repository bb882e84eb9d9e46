/** Runs the sessions over departures; may be abandoned on the way, and goes on from the latest checkpoint. */

import { openTask } from "@tidemark/core";
import { filesystem } from "@tidemark/filesystem";
import type { Departure } from "@tidemark-examples/data";
import { GAP_MS, type Session, sessions } from "./sessions.js";

/** No departure leaves later than this after it was planned. */
const LATENESS_MS = 240 * 60_000;
const CHECKPOINT_EVERY = 1000;

type SessionTask = Awaited<ReturnType<typeof open>>;

/** Processes departures up to `stopAt`, then stops without a word: what is in no checkpoint is lost, as in a crash. */
export async function runUntil(departures: readonly Departure[], directory: string, stopAt: number): Promise<number> {
  const task = await open(directory);
  for (let at = positionOf(task); at < stopAt; at = positionOf(task)) {
    const end = Math.min(stopAt, at + CHECKPOINT_EVERY);
    await processSome(task, departures.slice(at, end));
    if (end % CHECKPOINT_EVERY === 0) await task.checkpoint();
  }
  return task.restoredFrom ?? 0;
}

/** Processes what is left, closes every session, and gives them all. */
export async function finish(departures: readonly Departure[], directory: string): Promise<readonly Session[]> {
  const task = await open(directory);
  await processSome(task, departures.slice(positionOf(task)));
  await task.advanceWatermark(Number.MAX_SAFE_INTEGER);
  await task.checkpoint();
  const closed: Session[] = [];
  for (const airport of task.closed.keysSync()) closed.push(...task.closed.getSync(airport));
  await task.close();
  return closed;
}

async function open(directory: string) {
  const task = await openTask(sessions, { job: "sessions", backend: filesystem({ directory }) });
  task.timers.onFire(({ key: airport, namespace: start }) => {
    const end = task.open.getSync(airport, start) ?? start;
    const { count, delayMinutes } = task.totals.in(start).getSync(airport) ?? { count: 0, delayMinutes: 0 };
    task.closed.add(airport, { airport, start, end, departures: count, delayMinutes });
    task.totals.in(start).delete(airport);
    task.open.delete(airport, start);
  });
  return task;
}

function positionOf(task: SessionTask): number {
  return task.position.get()[0] ?? 0;
}

function processSome(task: SessionTask, departures: readonly Departure[]): Promise<void> {
  return task.process(
    departures,
    ({ origin }) => origin,
    (departure) => addDeparture(task, departure),
    {
      admitted: () => task.position.set([positionOf(task) + 1]),
      // The same watermark again does nothing, and after a restore it begins where it was.
      watermarkOf: ({ left }) => Math.max(left - LATENESS_MS, task.watermark ?? Number.MIN_SAFE_INTEGER),
    },
  );
}

/** Joins the sessions that the departure touches, with itself, into one. */
function addDeparture(task: SessionTask, { origin, planned, delayMinutes }: Departure): void {
  const touched = [...task.open.entriesSync(origin)].filter(
    ([start, end]) => start <= planned + GAP_MS && planned <= end,
  );
  const start = Math.min(planned, ...touched.map(([first]) => first));
  const end = Math.max(planned + GAP_MS, ...touched.map(([, last]) => last));
  for (const [before, last] of touched) {
    task.open.delete(origin, before);
    task.timers.event.delete(origin, last, before);
  }
  task.totals.mergeNamespacesSync(
    origin,
    start,
    touched.map(([before]) => before),
  );
  task.totals.in(start).addSync(origin, delayMinutes);
  task.open.set(origin, start, end);
  task.timers.event.register(origin, end, start);
}
