/** How changes are put into batches. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BinaryKey, type Change, memoryStorage, type Store } from "@tidemark/core";
import { ClassicLevel } from "classic-level";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lsm } from "../src/index.js";
import { FENCE, markOf, SCOPE } from "./support/history.js";
import { watchedLevel, type WritingCall } from "./support/watched-level.js";

let place: string;
let database: ClassicLevel<Buffer, Buffer>;
let store: Store;
let calls: WritingCall[] = [];

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "tidemark-lsm-"));
  database = new ClassicLevel<Buffer, Buffer>(place, { keyEncoding: "buffer", valueEncoding: "buffer" });
  await database.open();
  const watched = watchedLevel(database, async (what, call) => {
    calls.push(what);
    await call();
  });
  store = lsm({ database: watched, checkpoints: memoryStorage() }).store.create();
  await store.open(SCOPE, FENCE);
  await store.apply(markOf(1), deltaOf([]));
  calls = [];
});

afterEach(async () => {
  await store.close();
  await database.close();
  await rm(place, { recursive: true });
});

function deltaOf(changes: readonly Change[]): AsyncIterable<readonly Change[]> {
  return {
    async *[Symbol.asyncIterator]() {
      for (let first = 0; first < changes.length; first += 1_234) yield changes.slice(first, first + 1_234);
    },
  };
}

function keyAt(index: number): BinaryKey {
  return `\0\0${String(index).padStart(6, "0")}` as BinaryKey;
}

function puts(count: number, bytes: number): readonly Change[] {
  return Array.from({ length: count }, (_, index) => ({
    kind: "put",
    key: keyAt(index),
    value: Buffer.alloc(bytes, 1),
  }));
}

it("S5 batches are bounded in entries; the first and the last are synced, with the marks", async () => {
  await store.apply(markOf(2), deltaOf(puts(3_500, 10)));
  expect(calls.map((call) => (call.kind === "write" ? [call.entries, call.sync] : call.kind))).toEqual([
    [1, true],
    [1_000, false],
    [1_000, false],
    [1_000, false],
    [501, true],
  ]);
});

it("S5 batches are bounded in bytes, but for a value that is larger by itself", async () => {
  await store.apply(
    markOf(2),
    deltaOf([...puts(10, 400_000), { kind: "put", key: keyAt(99), value: Buffer.alloc(5_000_000) }]),
  );
  const sizes = calls.flatMap((call) => (call.kind === "write" ? [call.bytes] : []));
  expect(sizes.slice(0, -1).filter((bytes) => bytes > 1_500_000)).toHaveLength(1);
  expect(Math.max(...sizes)).toBeLessThan(6_500_000);
});

it("S5 clears of few keys go with the batches, those of many to LevelDB, in order", async () => {
  await store.apply(markOf(2), deltaOf(puts(2_000, 1)));
  calls = [];
  const few: Change[] = Array.from({ length: 50 }, (_, index) => ({ kind: "clear", prefix: keyAt(index) }));
  const many: Change = { kind: "clear", prefix: keyAt(1_500).slice(0, 5) as BinaryKey };
  const last: Change = { kind: "put", key: keyAt(1_500), value: Buffer.from("kept") };
  await store.apply(markOf(3), deltaOf([...few, many, last]));
  expect(calls.map(({ kind }) => kind)).toEqual(["write", "write", "clear", "write"]);
  const values = await store.getMany([
    keyAt(0),
    keyAt(49),
    keyAt(50),
    keyAt(999),
    keyAt(1_500),
    keyAt(1_501),
    keyAt(1_999),
  ]);
  expect(values.map((value) => value && Buffer.from(value).toString())).toEqual([
    undefined,
    undefined,
    "\x01",
    "\x01",
    "kept",
    undefined,
    undefined,
  ]);
});

it("S6 an apply that was made already writes nothing", async () => {
  await store.apply(markOf(1), deltaOf(puts(10, 10)));
  expect(calls).toEqual([]);
});

it("S6 behind a write that failed nothing is written to that database", async () => {
  const attempted: WritingCall[] = [];
  const failing = watchedLevel(database, async (what, call) => {
    attempted.push(what);
    if (what.kind === "write" && what.entries > 100) throw new Error("No space left.");
    await call();
  });
  const other = lsm({ database: failing, checkpoints: memoryStorage(), prefix: "!other!" }).store.create();
  await other.open(SCOPE, FENCE);
  await expect(other.apply(markOf(1), deltaOf(puts(3_000, 10)))).rejects.toThrow("No space left.");
  const count = attempted.length;
  await expect(other.apply(markOf(1), deltaOf(puts(10, 10)))).rejects.toThrow("No space left.");
  expect(attempted).toHaveLength(count);
  await other.close();
});
