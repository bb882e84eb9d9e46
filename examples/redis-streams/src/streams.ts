/** The two streams: departures come in, milestones go out. */

import type { Departure } from "@tidemark-examples/data";
import type { Redis } from "ioredis";
import type { Milestone, Outgoing } from "./delays.js";

const DEPARTURES = "departures";
const MILESTONES = "milestones";
const READ_COUNT = 500;
const READ_WAIT_MS = 1000;

/** `departure` is absent in the last entry. */
export interface Arrival {
  readonly id: string;
  readonly departure?: Departure;
}

/** Appends departures, and then the end. */
export async function sendDepartures(client: Redis, departures: readonly Departure[]): Promise<void> {
  for (let at = 0; at < departures.length; at += READ_COUNT) {
    const some = client.pipeline();
    for (const departure of departures.slice(at, at + READ_COUNT)) {
      some.xadd(DEPARTURES, "*", "departure", JSON.stringify(departure));
    }
    for (const [error] of (await some.exec()) ?? []) if (error !== null) throw error;
  }
  await client.xadd(DEPARTURES, "*", "end", "");
}

/** What comes after the entry `id`; waits a while if there is nothing yet. */
export async function receive(client: Redis, id: string): Promise<readonly Arrival[]> {
  const found = await client.xread("COUNT", READ_COUNT, "BLOCK", READ_WAIT_MS, "STREAMS", DEPARTURES, id);
  return (found?.[0]?.[1] ?? []).map(([each, [field, text = ""]]) =>
    field === "departure" ? { id: each, departure: JSON.parse(text) as Departure } : { id: each },
  );
}

/** Forgets the departures before the entry `id`: nobody will read them again. */
export async function forgetBefore(client: Redis, id: string): Promise<void> {
  await client.xtrim(DEPARTURES, "MINID", id);
}

/**
 * Appends milestones that are in a completed checkpoint. The number is the id of the entry, so that Redis itself takes each once, and what is there already
 * can be left out.
 */
export async function publish(client: Redis, outgoing: readonly Outgoing[]): Promise<void> {
  const [last] = await client.xrevrange(MILESTONES, "+", "-", "COUNT", 1);
  const lastNumber = Number(last?.[0].split("-")[0] ?? 0);
  const all = client.multi();
  for (const { number, milestone } of outgoing) {
    if (number > lastNumber) all.xadd(MILESTONES, `${number}-0`, "milestone", JSON.stringify(milestone));
  }
  for (const [error] of (await all.exec()) ?? []) if (error !== null) throw error;
}

/** All that was published. */
export async function published(client: Redis): Promise<readonly Milestone[]> {
  const entries = await client.xrange(MILESTONES, "-", "+");
  return entries.map(([, [, text = ""]]) => JSON.parse(text) as Milestone);
}
