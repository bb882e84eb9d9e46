/** The sides of `postgres`: state in Tidemark, and what one would write by hand with `pg`. */

import { defineOperator, openTask, string, value } from "@tidemark/core";
import { postgres } from "@tidemark/postgres";
import pg from "pg";
import { BATCH, countIn, valueWith, type Work } from "./lsm-work.js";

/** Statements of many values, by arrays of text. */
const READ = "SELECT key, value FROM bare WHERE key = ANY ($1::text[])";
const WRITE = `INSERT INTO bare SELECT * FROM unnest($1::text[], $2::text[])
  ON CONFLICT (key) DO UPDATE SET value = excluded.value`;

const texts = defineOperator("texts", { key: string(), states: { text: value<string>() } });

export type TextTask = Awaited<ReturnType<typeof openState>>;

export function openState(url: string) {
  return openTask(texts, { job: "bench", backend: postgres({ url }) });
}

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Gives every key a value, and takes a checkpoint. */
export async function fillState(task: TextTask, keys: readonly string[]): Promise<void> {
  for (const [index, key] of keys.entries()) {
    task.text.set(key, valueWith(0));
    if (index % BATCH === 0) await task.ready();
  }
  await task.checkpoint();
}

/** Every key as a row. */
export async function fillBare(client: pg.Client, keys: readonly string[]): Promise<void> {
  await client.query(
    `CREATE TABLE bare (key text COLLATE "C" PRIMARY KEY, value text NOT NULL) WITH (fillfactor = 85)`,
  );
  const empty = valueWith(0);
  for (let at = 0; at < keys.length; at += 10 * BATCH) {
    const some = keys.slice(at, at + 10 * BATCH);
    await client.query(WRITE, [some, some.map(() => empty)]);
  }
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

/** One `= ANY` and one `unnest … ON CONFLICT` for 1,000 operations: fast, and nothing can be recovered. Resolves to milliseconds. */
export async function changeBatched(client: pg.Client, { keys, picks }: Work): Promise<number> {
  const started = performance.now();
  for (let from = 0; from < picks.length; from += BATCH) {
    const batch = Array.from(picks.subarray(from, from + BATCH), (pick) => keys[pick] as string);
    const { rows } = await client.query<{ key: string; value: string }>(READ, [[...new Set(batch)]]);
    const texts = new Map(rows.map(({ key, value }) => [key, value]));
    for (const key of batch) texts.set(key, valueWith(countIn(texts.get(key) as string) + 1));
    await client.query(WRITE, [[...texts.keys()], [...texts.values()]]);
  }
  return performance.now() - started;
}

/** A `SELECT` and an `INSERT … ON CONFLICT` for each operation, one after the other. Resolves to milliseconds. */
export async function changeOneByOne(client: pg.Client, { keys, picks }: Work): Promise<number> {
  const started = performance.now();
  for (const pick of picks) {
    const key = keys[pick] as string;
    const { rows } = await client.query<{ value: string }>("SELECT value FROM bare WHERE key = $1", [key]);
    const text = valueWith(countIn(rows[0]?.value as string) + 1);
    await client.query("INSERT INTO bare VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value", [
      key,
      text,
    ]);
  }
  return performance.now() - started;
}

export type Read = (some: readonly string[]) => Promise<readonly (string | undefined)[]>;

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

export const readBare =
  (client: pg.Client): Read =>
  async (keys) => {
    const { rows } = await client.query<{ key: string; value: string }>(READ, [keys]);
    const texts = new Map(rows.map(({ key, value }) => [key, value]));
    return keys.map((key) => texts.get(key));
  };

export const readState =
  (task: TextTask): Read =>
  (keys) =>
    Promise.all(keys.map((key) => task.text.get(key)));
