/** The sides of `redis`: state in Tidemark, and what one would write by hand with `ioredis`. */

import { directory } from "@tidemark/filesystem";
import { defineOperator, openTask, string, value } from "@tidemark/core";
import { redis } from "@tidemark/redis";
import type { Redis } from "ioredis";
import { BATCH, countIn, valueWith, type Work } from "./lsm-work.js";

const HASH = "bare";
const PREFIX = "bare:";
const SCAN_COUNT = 1_000;

/** Of 31,250 entries each. */
const KEY_GROUPS = 32;

const texts = defineOperator("texts", {
  key: string(),
  maxParallelism: KEY_GROUPS,
  states: { text: value<string>() },
});

export type TextTask = Awaited<ReturnType<typeof openState>>;

export function openState(url: string, checkpoints: string) {
  return openTask(texts, { job: "bench", backend: redis({ url, checkpoints: directory(checkpoints) }) });
}

/** Gives every key a value, and takes a checkpoint. */
export async function fillState(task: TextTask, keys: readonly string[]): Promise<void> {
  for (const [index, key] of keys.entries()) {
    task.text.set(key, valueWith(0));
    if (index % BATCH === 0) await task.ready();
  }
  await task.checkpoint();
}

/**
 * Reads, changes and writes with 1,000 records in flight. A checkpoint is under way while the operations up to the next one are done; the last one is waited
 * for. Resolves to milliseconds.
 */
export async function changeState(task: TextTask, { keys, picks }: Work, checkpointEvery: number): Promise<number> {
  let checkpoint: Promise<unknown> = Promise.resolve();
  const started = performance.now();
  for (let from = 0; from < picks.length; from += checkpointEvery) {
    await task.process(
      picks.subarray(from, from + checkpointEvery),
      (pick) => keys[pick] as string,
      async (_, key) => {
        task.text.set(key, valueWith(countIn((await task.text.get(key)) as string) + 1));
      },
    );
    await checkpoint;
    checkpoint = task.checkpoint();
    checkpoint.catch(() => undefined);
  }
  await checkpoint;
  return performance.now() - started;
}

export async function listState(task: TextTask): Promise<number> {
  let count = 0;
  for await (const key of task.text.keys()) if (key !== "") count++;
  return count;
}

/** Every key as a field of one hash, and as a key of its own. */
export async function fillBare(client: Redis, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += BATCH) {
    const some = keys.slice(at, at + BATCH);
    await client.hset(HASH, ...some.flatMap((key) => [key, valueWith(0)]));
    await client.mset(...some.flatMap((key) => [PREFIX + key, valueWith(0)]));
  }
}

/** One `HMGET` and one `HSET` for 1,000 operations: fast, and nothing can be recovered. Resolves to milliseconds. */
export async function changeBatched(client: Redis, { keys, picks }: Work): Promise<number> {
  const started = performance.now();
  for (let from = 0; from < picks.length; from += BATCH) {
    const batch = Array.from(picks.subarray(from, from + BATCH), (pick) => keys[pick] as string);
    const found = await client.hmget(HASH, ...batch);
    const changed = new Map<string, string>();
    for (const [index, key] of batch.entries()) {
      changed.set(key, valueWith(countIn(changed.get(key) ?? (found[index] as string)) + 1));
    }
    const args: string[] = [];
    for (const [key, text] of changed) args.push(key, text);
    await client.hset(HASH, ...args);
  }
  return performance.now() - started;
}

/** A `GET` and a `SET` for each operation, one after the other. Resolves to milliseconds. */
export async function changeOneByOne(client: Redis, { keys, picks }: Work): Promise<number> {
  const started = performance.now();
  for (const pick of picks) {
    const key = PREFIX + (keys[pick] as string);
    await client.set(key, valueWith(countIn((await client.get(key)) as string) + 1));
  }
  return performance.now() - started;
}

export async function listBare(client: Redis): Promise<number> {
  let count = 0;
  for (let cursor = "0"; ; ) {
    const [next, rows] = await client.hscan(HASH, cursor, "COUNT", SCAN_COUNT);
    count += rows.length / 2;
    cursor = next;
    if (cursor === "0") return count;
  }
}

export type Read = (some: readonly string[]) => Promise<readonly (string | null | undefined)[]>;

/** Looks whether `read` gives what the work leaves behind, at one key in a thousand. */
export async function checkResult({ keys, picks }: Work, read: Read): Promise<void> {
  const counts = new Uint32Array(keys.length);
  for (const pick of picks) counts[pick] = (counts[pick] as number) + 1;
  const some = keys.flatMap((key, index) => (index % 1_000 === 0 ? [{ key, count: counts[index] }] : []));
  const found = await read(some.map(({ key }) => key));
  for (const [index, { key, count }] of some.entries()) {
    if (countIn(found[index] ?? "") !== count) throw new Error(`Wrong count. key=${key} expected=${String(count)}`);
  }
}

export const readBatched =
  (client: Redis): Read =>
  (keys) =>
    client.hmget(HASH, ...keys);

export const readOneByOne =
  (client: Redis): Read =>
  (keys) =>
    client.mget(keys.map((key) => PREFIX + key));

export const readState =
  (task: TextTask): Read =>
  (keys) =>
    Promise.all(keys.map((key) => task.text.get(key)));
