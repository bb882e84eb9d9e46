/** Laws of what changes a store: S5 to S8. */

import assert from "node:assert/strict";
import { type Change, KeyGroups } from "@tidemark/core";
import type { StoreLaw } from "./store-harness.js";
import {
  assertAt,
  byGroup,
  deltaOf,
  GROUPS,
  interruptedAfter,
  Interruption,
  keyOf,
  markOf,
  opened,
  put,
  read,
  reopened,
  rowsOf,
  scanned,
} from "./store-script.js";

const [A, B, C] = [keyOf(0, "a"), keyOf(1, "b"), keyOf(2, "c")];

export const changingLaws: readonly StoreLaw[] = [
  {
    id: "S5",
    title: "puts, deletes and clears are made in their order",
    async check(harness) {
      const { store } = await opened(harness);
      const entries = ["", "\0", "m", "m\0", "m\xff", "m\xff\xff", "n", "\xff"].map((rest) => keyOf(1, rest));
      await store.apply(
        markOf(1),
        deltaOf(
          entries.map((key) => put(key, "old")),
          [put(keyOf(2), "other")],
        ),
      );
      const changes: readonly Change[] = [
        { kind: "delete", key: keyOf(1, "") },
        { kind: "delete", key: keyOf(1, "absent") },
        { kind: "clear", prefix: keyOf(1, "m") },
        put(keyOf(1, "m\x80"), "new"),
        { kind: "clear", prefix: keyOf(1, "\xff") },
      ];
      await store.apply(markOf(2), deltaOf(changes.slice(0, 2), [], changes.slice(2)));
      assert.deepEqual(await scanned(store), [
        [keyOf(1, "\0"), "old"],
        [keyOf(1, "m\x80"), "new"],
        [keyOf(1, "n"), "old"],
        [keyOf(2), "other"],
      ]);
    },
  },
  {
    id: "S5",
    title: "what was applied is there after close, and after the death of the process",
    async check(harness) {
      const first = await opened(harness);
      await first.store.apply(markOf(1), deltaOf([put(A, "1"), put(B, "1")]));
      const second = await reopened(harness, first.store);
      assertAt(second.applied, GROUPS, markOf(1));
      await second.store.apply(markOf(2), deltaOf([{ kind: "delete", key: A }, put(B, "2")]));
      await harness.crash(second.store);
      const third = await opened(harness);
      assertAt(third.applied, GROUPS, markOf(2));
      assert.deepEqual(await scanned(third.store), [[B, "2"]]);
    },
  },
  {
    id: "S5",
    title: "a delta of any size is applied",
    async check(harness) {
      const { store } = await opened(harness);
      const keys = Array.from({ length: 6_000 }, (_, index) => keyOf(index >> 11, String(index).padStart(5, "0")));
      const large = "x".repeat(3_000_000);
      await store.apply(
        markOf(1),
        deltaOf(
          keys.map((key) => put(key, key)),
          [put(keyOf(3, "large"), large)],
        ),
      );
      const after = await reopened(harness, store);
      assert.equal((await scanned(after.store)).length, keys.length + 1);
      assert.deepEqual(await read(after.store, keyOf(3, "large")), [large]);
    },
  },
  {
    id: "S6",
    title: "the same mark again changes nothing",
    async check(harness) {
      const { store } = await opened(harness);
      const delta = deltaOf([put(A, "1")], [{ kind: "clear", prefix: keyOf(1) }, put(B, "1")]);
      await store.apply(markOf(1), delta);
      await store.apply(markOf(1), delta);
      const again = await reopened(harness, store);
      await again.store.apply(markOf(1), delta);
      assert.deepEqual(await scanned(again.store), [
        [A, "1"],
        [B, "1"],
      ]);
      assertAt((await reopened(harness, again.store)).applied, GROUPS, markOf(1));
    },
  },
  {
    id: "S6",
    title: "the same id with another tag is another mark",
    async check(harness) {
      const { store } = await opened(harness);
      await store.apply(markOf(1, "a"), deltaOf([put(A, "a")]));
      await store.apply(markOf(1, "b"), deltaOf([put(A, "b")]));
      assert.deepEqual(await read(store, A), ["b"]);
      assertAt((await reopened(harness, store)).applied, GROUPS, markOf(1, "b"));
    },
  },
  {
    id: "S6",
    title: "an apply that was interrupted is reported, and made whole by applying it again",
    async check(harness) {
      const first = await opened(harness);
      await first.store.apply(markOf(1), deltaOf([put(A, "1"), put(B, "1"), put(C, "1")]));
      const changes = Array.from({ length: 3_000 }, (_, index) =>
        put(keyOf(1, `n${String(index).padStart(4, "0")}`), "2"),
      );
      const delta = [[{ kind: "delete", key: A } as const], [...changes, put(C, "2")]];
      await assert.rejects(first.store.apply(markOf(2), interruptedAfter(...delta)), Interruption);
      await harness.crash(first.store);
      const second = await opened(harness);
      for (const [group, { mark, applying }] of byGroup(second.applied)) {
        assert.deepEqual(mark, markOf(1), `Group ${group} is newer than a completed checkpoint.`);
        if (applying !== undefined) assert.deepEqual(applying, markOf(2));
        else {
          assert.deepEqual(
            await scanned(second.store),
            [
              [A, "1"],
              [B, "1"],
              [C, "1"],
            ],
            "Changes without a mark.",
          );
        }
      }
      assert.equal(byGroup(second.applied).size, GROUPS.count);
      await second.store.apply(markOf(2), deltaOf(...delta));
      assertAt((await reopened(harness, second.store)).applied, GROUPS, markOf(2));
    },
  },
  {
    id: "S6",
    title: "after a failure the same handle can apply it again",
    async check(harness) {
      const { store } = await opened(harness);
      await store.apply(markOf(1), deltaOf([put(A, "1"), put(B, "1")]));
      await assert.rejects(store.apply(markOf(2), interruptedAfter([put(A, "2")])), Interruption);
      const [a, b] = await read(store, A, B);
      assert(a === "1" || a === "2", "Neither the old nor the new value is read.");
      assert.equal(b, "1");
      await store.apply(markOf(2), deltaOf([put(A, "2"), put(B, "2")]));
      assert.deepEqual(await read(store, A, B), ["2", "2"]);
      await store.apply(markOf(3), deltaOf([put(A, "3")]));
      assertAt((await reopened(harness, store)).applied, GROUPS, markOf(3));
    },
  },
  {
    id: "S6",
    title: "a first apply that was interrupted leaves nothing that counts",
    async check(harness) {
      const first = await opened(harness);
      await assert.rejects(first.store.apply(markOf(1), interruptedAfter([put(A, "1"), put(B, "1")])), Interruption);
      await harness.crash(first.store);
      const second = await opened(harness);
      for (const [, { mark }] of byGroup(second.applied)) assert.notDeepEqual(mark, markOf(1));
      await second.store.apply(markOf(1), deltaOf([put(B, "other history")]));
      assert.deepEqual(await scanned(second.store), [[B, "other history"]]);
    },
  },
  {
    id: "S7",
    title: "load replaces the content of its groups, and of no others",
    async check(harness) {
      const { store } = await opened(harness);
      await store.apply(markOf(1), deltaOf([put(A, "1"), put(keyOf(0, "z"), "1"), put(B, "1"), put(keyOf(3), "1")]));
      await store.load(KeyGroups.of([{ first: 0, last: 1 }]), rowsOf([A, "7"], [keyOf(1), "7"]), markOf(7, "b"));
      assert.deepEqual(await scanned(store), [
        [A, "7"],
        [keyOf(1), "7"],
        [keyOf(3), "1"],
      ]);
      await harness.crash(store);
      const again = await opened(harness);
      const groups = [...byGroup(again.applied)].map(([group, { mark }]) => [group, mark.checkpoint]);
      assert.deepEqual(groups, [
        [0, 7],
        [1, 7],
        [2, 1],
        [3, 1],
      ]);
      assert.deepEqual(await scanned(again.store), [
        [A, "7"],
        [keyOf(1), "7"],
        [keyOf(3), "1"],
      ]);
    },
  },
  {
    id: "S7",
    title: "groups without rows are loaded too",
    async check(harness) {
      const { store } = await opened(harness);
      await store.apply(markOf(1), deltaOf([put(A, "1"), put(C, "1")]));
      await store.load(GROUPS, rowsOf(), markOf(5));
      const again = await reopened(harness, store);
      assertAt(again.applied, GROUPS, markOf(5));
      assert.deepEqual(await scanned(again.store), []);
    },
  },
  {
    id: "S7",
    title: "until a load has ended nothing is reported for its groups",
    async check(harness) {
      const first = await opened(harness);
      await first.store.apply(markOf(1), deltaOf([put(A, "1"), put(B, "1"), put(C, "1")]));
      const groups = KeyGroups.of([{ first: 0, last: 1 }]);
      const rows = interruptedAfter([{ key: A, value: Buffer.from("2") }]);
      await assert.rejects(first.store.load(groups, rows, markOf(2)), Interruption);
      await harness.crash(first.store);
      const second = await opened(harness);
      assertAt(second.applied, KeyGroups.of([{ first: 2, last: 3 }]), markOf(1));
      assert.deepEqual(await read(second.store, C), ["1"]);
      await second.store.load(groups, rowsOf([keyOf(1), "2"]), markOf(2));
      assert.deepEqual(await scanned(second.store), [
        [keyOf(1), "2"],
        [C, "1"],
      ]);
    },
  },
  {
    id: "S7",
    title: "a load takes the place of an apply that did not end",
    async check(harness) {
      const first = await opened(harness);
      await first.store.apply(markOf(1), deltaOf([put(A, "1")]));
      await assert.rejects(first.store.apply(markOf(2), interruptedAfter([put(A, "2"), put(B, "2")])), Interruption);
      await harness.crash(first.store);
      const second = await opened(harness);
      await second.store.load(GROUPS, rowsOf([C, "3"]), markOf(3));
      await second.store.apply(markOf(4), deltaOf([put(keyOf(3), "4")]));
      const third = await reopened(harness, second.store);
      assertAt(third.applied, GROUPS, markOf(4));
      assert.deepEqual(await scanned(third.store), [
        [C, "3"],
        [keyOf(3), "4"],
      ]);
    },
  },
  {
    id: "S8",
    title: "drop removes its groups and nothing else",
    async check(harness) {
      const { store } = await opened(harness);
      const last = keyOf(1, "\xff".repeat(40));
      await store.apply(markOf(1), deltaOf([put(A, "1"), put(keyOf(1), "1"), put(last, "1"), put(keyOf(2), "1")]));
      await store.drop(KeyGroups.of([{ first: 1, last: 1 }]));
      assert.deepEqual(await scanned(store), [
        [A, "1"],
        [keyOf(2), "1"],
      ]);
      const again = await reopened(harness, store);
      assertAt(
        again.applied,
        KeyGroups.of([
          { first: 0, last: 0 },
          { first: 2, last: 3 },
        ]),
        markOf(1),
      );
      assert.deepEqual(await scanned(again.store), [
        [A, "1"],
        [keyOf(2), "1"],
      ]);
    },
  },
];
