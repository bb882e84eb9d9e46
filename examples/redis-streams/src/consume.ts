/**
 * The consumer: from one stream into state, and from state into another stream.
 *
 *   receive ─▶ process ─▶ checkpoint ─▶ publish what the checkpoint holds ─▶ forget what it has consumed
 *
 * Invariants:
 * - A checkpoint holds the effects of exactly the departures up to its position, the milestones that they led to included.
 * - A milestone is published only when it is in a completed checkpoint. So whoever restores knows it too, with the same number.
 * - Departures are forgotten only up to the position of a completed checkpoint.
 */

import { openTask } from "@tidemark/core";
import { directory } from "@tidemark/filesystem";
import { redis } from "@tidemark/redis";
import type { Departure } from "@tidemark-examples/data";
import type { Redis } from "ioredis";
import { delays, MILESTONE_EVERY, type Outgoing, type Position, type Totals } from "./delays.js";
import { type Arrival, forgetBefore, publish, receive } from "./streams.js";

const CHECKPOINT_EVERY = 1000;
const START: Position = { id: "0-0", count: 0 };

export interface Place {
  readonly url: string;
  /** For checkpoints. */
  readonly directory: string;
}

/** What the consumer does next, and how many departures are in its state. */
export type Stage = "processing" | "checkpoint" | "publish" | "forget";
export type Observe = (stage: Stage, count: number) => void;

export type DelaysTask = Awaited<ReturnType<typeof openDelays>>;

export function openDelays({ url, directory: path }: Place) {
  return openTask(delays, { job: "delays", backend: redis({ url, checkpoints: directory(path) }) });
}

/** Goes on from the latest checkpoint to the end of the stream. */
export async function consume(task: DelaysTask, client: Redis, observe: Observe): Promise<void> {
  // What the checkpoint holds may have been published, or not: the crash came between.
  await publishOutbox(task, client);
  let checkpointed = positionOf(task).count;
  for (let isEnd = false; !isEnd; ) {
    const arrivals = await receive(client, positionOf(task).id);
    isEnd = arrivals.some(({ departure }) => departure === undefined);
    await take(task, arrivals);
    const { id, count } = positionOf(task);
    observe("processing", count);
    if (!isEnd && count - checkpointed < CHECKPOINT_EVERY) continue;
    observe("checkpoint", count);
    await task.checkpoint();
    observe("publish", count);
    await publishOutbox(task, client);
    observe("forget", count);
    await forgetBefore(client, id);
    checkpointed = count;
  }
}

function take(task: DelaysTask, arrivals: readonly Arrival[]): Promise<void> {
  return task.process(
    arrivals.flatMap(({ id, departure }) => (departure === undefined ? [] : [{ id, departure }])),
    ({ departure }) => departure.origin,
    ({ departure }) => addDeparture(task, departure),
    { admitted: ({ id }) => task.position.set([{ id, count: positionOf(task).count + 1 }]) },
  );
}

async function addDeparture(task: DelaysTask, { origin: airport, delayMinutes }: Departure): Promise<void> {
  const before = await task.totals.get(airport);
  const totals: Totals = {
    departures: before.departures + 1,
    delayMinutes: before.delayMinutes + delayMinutes,
  };
  task.totals.set(airport, totals);
  if (totals.departures % MILESTONE_EVERY !== 0) return;
  const number = (task.lastNumber.get()[0] ?? 0) + 1;
  task.lastNumber.set([number]);
  task.outbox.add({ number, milestone: { airport, ...totals } });
}

/** Nothing was processed since the checkpoint: all of the outbox is in it. */
async function publishOutbox(task: DelaysTask, client: Redis): Promise<void> {
  const outgoing: readonly Outgoing[] = task.outbox.get();
  if (outgoing.length === 0) return;
  await publish(client, outgoing);
  task.outbox.set([]);
}

function positionOf(task: DelaysTask): Position {
  return task.position.get()[0] ?? START;
}
