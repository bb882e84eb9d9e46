/** Laws of what a store gives back: S3 and S4. */

import assert from "node:assert/strict";
import type { BinaryKey } from "@tidemark/core";
import type { StoreLaw } from "./store-harness.js";
import { deltaOf, EVERYTHING, keyOf, markOf, opened, put, read, scanned, textOf } from "./store-script.js";

/** Bytes that engines of text or of signed characters put in another order. */
const HOSTILE = [
  "",
  "\0",
  "\0\0",
  "\x01",
  "a",
  "a\0",
  "a\xff",
  "b",
  "\x7f",
  "\x80",
  "\xc3\xa4",
  "\xfe",
  "\xff",
  "\xff\xff",
];

export const readingLaws: readonly StoreLaw[] = [
  {
    id: "S3",
    title: "values come in the order of the keys, absent ones as undefined, repeated ones each time",
    async check(harness) {
      const { store } = await opened(harness);
      const [a, b, c] = [keyOf(0, "a"), keyOf(1, "b"), keyOf(2, "c")];
      await store.apply(markOf(1), deltaOf([put(a, "1"), put(b, ""), put(c, "3")]));
      const absent = keyOf(3, "absent");
      assert.deepEqual(await read(store, c, absent, a, b, c), ["3", undefined, "1", "", "3"]);
      assert.deepEqual(await read(store), []);
    },
  },
  {
    id: "S3",
    title: "many values are read at once",
    async check(harness) {
      const { store } = await opened(harness);
      const keys = Array.from({ length: 5_000 }, (_, index) => keyOf(index % 4, String(index).padStart(5, "0")));
      await store.apply(markOf(1), deltaOf(keys.toSorted().map((key) => put(key, `value of ${key}`))));
      assert.deepEqual(
        await read(store, ...keys),
        keys.map((key) => `value of ${key}`),
      );
    },
  },
  {
    id: "S3",
    title: "keys and values are bytes: no order, length or content is special",
    async check(harness) {
      const { store } = await opened(harness);
      const keys = HOSTILE.map((rest) => keyOf(1, rest));
      await store.apply(markOf(1), deltaOf(keys.toSorted().map((key) => put(key, `${key}\0\xff`))));
      assert.deepEqual(
        await read(store, ...keys),
        keys.map((key) => `${key}\0\xff`),
      );
    },
  },
  {
    id: "S3",
    title: "the caller owns what was read, and what was written",
    async check(harness) {
      const { store } = await opened(harness);
      const key = keyOf(0, "a");
      const value = Buffer.from("first");
      await store.apply(markOf(1), deltaOf([{ kind: "put", key, value }]));
      value.fill(0);
      const [once] = await store.getMany([key]);
      once?.fill(0);
      for await (const chunk of store.scan(EVERYTHING)) for (const entry of chunk) entry.value.fill(0);
      assert.deepEqual(await read(store, key), ["first"]);
    },
  },
  {
    id: "S3",
    title: "getManySync, where it exists, gives the same",
    async check(harness) {
      const { store } = await opened(harness);
      const keys = [keyOf(3, "b"), keyOf(0, "absent"), keyOf(0, "a")];
      await store.apply(markOf(1), deltaOf([put(keyOf(0, "a"), "1"), put(keyOf(3, "b"), "")]));
      if (store.getManySync === undefined) return;
      const values = store.getManySync(keys);
      assert.deepEqual(
        values.map((value) => (value === undefined ? undefined : textOf(value))),
        await read(store, ...keys),
      );
    },
  },
  {
    id: "S4",
    title: "entries come in unsigned byte order, the start included and the end not",
    async check(harness) {
      const { store } = await opened(harness);
      const keys = HOSTILE.map((rest) => keyOf(1, rest)).sort();
      await store.apply(markOf(1), deltaOf(keys.map((key) => put(key, key))));
      const found = async (start: BinaryKey, end: BinaryKey): Promise<readonly string[]> =>
        (await scanned(store, { start, end })).map(([key]) => key);
      assert.deepEqual(await found(keyOf(1), keyOf(2)), keys);
      for (const [from, start] of keys.entries()) {
        const end = keys[from + 2] ?? keyOf(2);
        assert.deepEqual(await found(start, end), keys.slice(from, from + 2));
        assert.deepEqual(await found(start, start), []);
      }
      assert.deepEqual(await found(keyOf(2), keyOf(1)), []);
      assert.deepEqual(await found(keyOf(2), keyOf(3)), []);
    },
  },
  {
    id: "S4",
    title: "a scan is whole, however many chunks it takes, and can be given up",
    async check(harness) {
      const { store } = await opened(harness);
      const keys = Array.from({ length: 10_000 }, (_, index) => keyOf(index >> 12, String(index).padStart(6, "0")));
      await store.apply(
        markOf(1),
        deltaOf(...slices(keys, 700).map((part) => part.map((key) => put(key, key.slice(2))))),
      );
      assert.deepEqual(
        await scanned(store),
        keys.map((key) => [key, key.slice(2)]),
      );
      for await (const chunk of store.scan(EVERYTHING)) {
        assert(chunk.length < keys.length, "All entries came in one chunk.");
        break;
      }
      assert.equal((await scanned(store)).length, keys.length);
    },
  },
  {
    id: "S4",
    title: "a scan sees every apply that resolved before the call",
    async check(harness) {
      const { store } = await opened(harness);
      const key = keyOf(0, "a");
      for (let id = 1; id <= 5; id++) {
        await store.apply(markOf(id), deltaOf([put(key, String(id)), put(keyOf(0, `b${id}`), "")]));
        const found = await scanned(store);
        assert.deepEqual(found[0], [key, String(id)]);
        assert.equal(found.length, id + 1);
      }
    },
  },
];

function slices<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
