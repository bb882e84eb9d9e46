/** Laws of who has a store: S1, S2 and S9. */

import assert from "node:assert/strict";
import { KeyGroups, type TaskScope } from "@tidemark/core";
import { newFence, type StoreLaw } from "./store-harness.js";
import {
  assertAt,
  assertRefused,
  byGroup,
  deltaOf,
  EVERYTHING,
  Gate,
  GROUPS,
  keyOf,
  markOf,
  opened,
  put,
  read,
  reopened,
  rowsOf,
  scanned,
  SCOPE,
} from "./store-script.js";

const A = keyOf(0, "a");
/** Just as many as a store may change at once, one less or more, and many more. */
const GROUP_COUNTS = [4, 7, 8, 9, 10, 15, 16, 17, 31, 32, 33, 64];

/** No two of these are the same, and careless joins make some of them so. */
const SCOPES: readonly TaskScope[] = [
  ["a", "b"],
  ["a/b", ""],
  ["", "a/b"],
  ["a", "b/"],
  ["A", "b"],
  ["a\0b", ""],
  ["a", "\0b"],
  ["..", "."],
  ["ä", "b"],
  ["a\u0308", "b"],
  ["*", "%"],
  ["__proto__", "constructor"],
  ["x".repeat(300), "b"],
  [`${"x".repeat(300)}y`, "b"],
].map(([job, operator]) => ({ ...SCOPE, job: job as string, operator: operator as string }));

export const ownerLaws: readonly StoreLaw[] = [
  {
    id: "S1",
    title: "an empty place reports nothing, and holds nothing",
    async check(harness) {
      const { store, applied } = await opened(harness);
      assert.deepEqual(applied, []);
      assert.equal(store.emptyBecause, undefined);
      assert.deepEqual(await scanned(store), []);
      assert.deepEqual((await reopened(harness, store)).applied, []);
    },
  },
  {
    id: "S1",
    title: "jobs and operators of any name do not meet",
    async check(harness) {
      for (const [id, scope] of SCOPES.entries()) {
        const { store, applied } = await opened(harness, scope);
        assert.deepEqual(applied, [], `${JSON.stringify(scope)} is another scope's.`);
        await store.apply(markOf(id + 1), deltaOf([put(A, String(id))]));
        await store.close();
      }
      for (const [id, scope] of SCOPES.entries()) {
        const { store, applied } = await opened(harness, scope);
        assertAt(applied, GROUPS, markOf(id + 1));
        assert.deepEqual(await read(store, A), [String(id)]);
        await store.close();
      }
    },
  },
  {
    id: "S1",
    title: "another number of key groups is another scope",
    async check(harness) {
      const { store } = await opened(harness);
      await store.apply(markOf(1), deltaOf([put(A, "1")]));
      const other = await reopened(harness, store, { ...SCOPE, maxParallelism: 16 });
      assert.deepEqual(other.applied, []);
      assert.deepEqual(await scanned(other.store), []);
    },
  },
  {
    id: "S1",
    title: "under other key groups, what is reported is there, and it is inside of them",
    async check(harness) {
      const { store } = await opened(harness);
      const keys = [...GROUPS].map((group) => keyOf(group, "k"));
      await store.apply(markOf(1), deltaOf(keys.map((key) => put(key, key))));
      const groups = KeyGroups.of([{ first: 2, last: 5 }]);
      const other = await reopened(harness, store, { ...SCOPE, groups });
      for (const [group, { mark }] of byGroup(other.applied)) {
        assert(groups.has(group) && GROUPS.has(group), `Group ${group} is reported.`);
        assert.deepEqual(mark, markOf(1));
        assert.deepEqual(await read(other.store, keyOf(group, "k")), [keyOf(group, "k")]);
      }
      await other.store.load(groups, rowsOf([keyOf(5), "new"]), markOf(2));
      assert.deepEqual(await scanned(other.store, { start: keyOf(2), end: keyOf(8) }), [[keyOf(5), "new"]]);
    },
  },
  {
    id: "S1",
    title: "key groups need not be consecutive",
    async check(harness) {
      const groups = KeyGroups.of([
        { first: 0, last: 0 },
        { first: 3, last: 5 },
        { first: 0xffff, last: 0xffff },
      ]);
      const scope = { ...SCOPE, groups };
      const { store } = await opened(harness, scope);
      const operatorState = keyOf(0xffff, "\xff\xff");
      await store.apply(markOf(1), deltaOf([put(A, "1"), put(operatorState, "2")]));
      const again = await reopened(harness, store, scope);
      assertAt(again.applied, groups, markOf(1));
      assert.deepEqual(await read(again.store, operatorState, A), ["2", "1"]);
      await again.store.drop(KeyGroups.of([{ first: 0xffff, last: 0xffff }]));
      assert.deepEqual(await read(again.store, operatorState, A), [undefined, "1"]);
    },
  },
  {
    id: "S1",
    title: "a tag is kept as it is",
    async check(harness) {
      const { store } = await opened(harness);
      const mark = markOf(2 ** 52, `"\\'${"~ !".repeat(65)}`);
      await store.apply(mark, deltaOf([]));
      assertAt((await reopened(harness, store)).applied, GROUPS, mark);
    },
  },
  {
    id: "S2",
    title: "of two handles on a scope one is refused, at the latest at its next call",
    async check(harness) {
      const { store: first } = await opened(harness);
      await first.apply(markOf(1), deltaOf([put(A, "1")]));
      const second = harness.create();
      if (harness.takeover === "refused") {
        await assertRefused(second.open(SCOPE, newFence()), "UNAVAILABLE");
        assert.deepEqual(await read(first, A), ["1"]);
        await first.apply(markOf(2), deltaOf([put(A, "2")]));
        await first.close();
        assertAt(await second.open(SCOPE, newFence()), GROUPS, markOf(2));
        assert.deepEqual(await read(second, A), ["2"]);
        return;
      }
      assertAt(await second.open(SCOPE, newFence()), GROUPS, markOf(1));
      await assertRefused(first.apply(markOf(2), deltaOf([put(A, "2")])), "FENCED");
      await assertRefused(first.getMany([A]), "FENCED");
      await assertRefused(scanned(first), "FENCED");
      await assertRefused(first.load(GROUPS, rowsOf(), markOf(2)), "FENCED");
      await assertRefused(first.drop(GROUPS), "FENCED");
      await first.close();
      assert.deepEqual(await read(second, A), ["1"]);
    },
  },
  {
    id: "S2",
    title: "prepare, where it exists, takes nothing from an owner, and close gives back what it took",
    async check(harness) {
      const { store: owner } = await opened(harness);
      await owner.apply(markOf(1), deltaOf([put(A, "1")]));
      const early = harness.create();
      if (early.prepare === undefined) return;
      if (harness.takeover === "refused") await assertRefused(early.prepare(SCOPE), "UNAVAILABLE");
      else await early.prepare(SCOPE);
      await early.close();
      assert.deepEqual(await read(owner, A), ["1"]);
      await owner.apply(markOf(2), deltaOf([put(A, "2")]));
      await owner.close();
      const given = harness.create();
      await given.prepare?.(SCOPE);
      await given.close();
      const next = harness.create();
      await next.prepare?.(SCOPE);
      await assertRefused(next.getMany([A]), "CLOSED");
      assertAt(await next.open(SCOPE, newFence()), GROUPS, markOf(2));
      assert.deepEqual(await read(next, A), ["2"]);
    },
  },
  {
    id: "S2",
    title: "an apply to many key groups, during which another took over, is FENCED as one",
    async check(harness) {
      if (harness.takeover === "refused") return;
      for (const count of GROUP_COUNTS) {
        const groups = KeyGroups.of([{ first: 0, last: count - 1 }]);
        const scope = { ...SCOPE, maxParallelism: count, groups };
        const keys = [...groups].map((group) => keyOf(group, "k"));
        const { store: first } = await opened(harness, scope);
        await first.apply(markOf(1), deltaOf(keys.map((key) => put(key, "1"))));
        const second = harness.create();
        const applying = first.apply(markOf(2), {
          async *[Symbol.asyncIterator]() {
            await second.open(scope, newFence());
            yield keys.map((key) => put(key, "2"));
          },
        });
        await assertRefused(applying, "FENCED");
        assert.deepEqual(
          await read(second, ...keys),
          Array.from(keys, () => "1"),
        );
      }
    },
  },
  {
    id: "S2",
    title: "an apply that was under way when another took over changes nothing afterwards",
    async check(harness) {
      if (harness.takeover === "refused") return;
      const { store: first } = await opened(harness);
      await first.apply(markOf(1), deltaOf([put(A, "1")]));
      const gate = new Gate();
      const started = new Gate();
      const applying = first.apply(markOf(2), {
        async *[Symbol.asyncIterator]() {
          started.open();
          await gate.passed;
          yield [put(A, "late")];
        },
      });
      await started.passed;
      const { store: second } = await opened(harness);
      await second.load(GROUPS, rowsOf([A, "new"]), markOf(5));
      gate.open();
      await assertRefused(applying, "FENCED");
      assert.deepEqual(await read(second, A), ["new"]);
      assertAt((await reopened(harness, second)).applied, GROUPS, markOf(5));
    },
  },
  {
    id: "S9",
    title: "before open and after close calls fail with CLOSED, and close is idempotent",
    async check(harness) {
      const { store } = await opened(harness);
      await store.apply(markOf(1), deltaOf([put(A, "1")]));
      await Promise.all([store.close(), store.close()]);
      await store.close();
      const untouched = harness.create();
      for (const closed of [store, untouched]) {
        await assertRefused(closed.getMany([A]), "CLOSED");
        await assertRefused(scanned(closed), "CLOSED");
        await assertRefused(closed.apply(markOf(2), deltaOf([put(A, "2")])), "CLOSED");
        await assertRefused(closed.load(GROUPS, rowsOf(), markOf(2)), "CLOSED");
        await assertRefused(closed.drop(GROUPS), "CLOSED");
        await assertRefused((async () => closed.getManySync?.([A]) ?? (await closed.getMany([A])))(), "CLOSED");
      }
      await untouched.close();
      assertAt((await opened(harness)).applied, GROUPS, markOf(1));
    },
  },
  {
    id: "S9",
    title: "close waits for an apply that is under way",
    async check(harness) {
      const { store } = await opened(harness);
      const changes = Array.from({ length: 5_000 }, (_, index) => put(keyOf(0, String(index).padStart(5, "0")), "1"));
      const applying = store.apply(markOf(1), deltaOf(changes));
      await store.close();
      await applying;
      const again = await opened(harness);
      assertAt(again.applied, GROUPS, markOf(1));
      assert.equal((await scanned(again.store)).length, changes.length);
    },
  },
  {
    id: "S9",
    title: "a scan that another call closed under fails with CLOSED, and never ends early",
    async check(harness) {
      const { store } = await opened(harness);
      const keys = Array.from({ length: 20_000 }, (_, index) => keyOf(0, String(index).padStart(5, "0")));
      await store.apply(markOf(1), deltaOf(keys.map((key) => put(key, "1"))));
      const scanning = (async () => {
        for await (const chunk of store.scan(EVERYTHING)) {
          if (chunk[0]?.key === keys[0]) await store.close();
        }
      })();
      await assertRefused(scanning, "CLOSED");
    },
  },
];
