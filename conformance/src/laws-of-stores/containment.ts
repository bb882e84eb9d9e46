/** S11: whatever happens in a scope, nothing of another scope and nothing of the process changes. */

import assert from "node:assert/strict";
import { KeyGroups, type TaskScope } from "@tidemark/core";
import { changedFact, factsBefore } from "../oracles/process-facts.js";
import type { OpenStoreHarness, StoreHarness } from "./store-harness.js";
import {
  assertAt,
  deltaOf,
  EVERYTHING,
  GROUPS,
  interruptedAfter,
  Interruption,
  keyOf,
  markOf,
  opened,
  put,
  reopened,
  rowsOf,
  scanned,
  SCOPE,
} from "./store-script.js";

/** Neighbours: names that begin alike, the same names the other way round, and other tasks of the same operator. */
const NEIGHBOURS: readonly TaskScope[] = [
  { ...SCOPE, job: "jo" },
  { ...SCOPE, job: "job2" },
  { ...SCOPE, job: SCOPE.operator, operator: SCOPE.job },
  { ...SCOPE, operator: "operator2" },
  { ...SCOPE, operator: "" },
  { ...SCOPE, groups: KeyGroups.of([{ first: 4, last: 7 }]) },
];

/** @throws {Error} if anything around a scope has changed */
export async function scopeIsContained(open: OpenStoreHarness): Promise<void> {
  const before = factsBefore();
  const place = await open();
  try {
    for (const [index, scope] of NEIGHBOURS.entries()) await settle(place, scope, index);
    await liveIn(place);
    for (const [index, scope] of NEIGHBOURS.entries()) await expectSettled(place, scope, index);
    const changed = changedFact(before);
    assert(changed === undefined, `By calls of the adapter ${changed} is another, for all code of the process.`);
  } finally {
    await place.dispose();
  }
}

function rowsIn(scope: TaskScope, index: number): readonly (readonly [ReturnType<typeof keyOf>, string])[] {
  return [...scope.groups].map((group) => [keyOf(group, "a"), `${index} ${group}`]);
}

async function settle(place: StoreHarness, scope: TaskScope, index: number): Promise<void> {
  const { store } = await opened(place, scope);
  await store.apply(markOf(index + 1), deltaOf(rowsIn(scope, index).map(([key, value]) => put(key, value))));
  await store.close();
}

async function expectSettled(place: StoreHarness, scope: TaskScope, index: number): Promise<void> {
  const { store, applied } = await opened(place, scope);
  assertAt(applied, scope.groups, markOf(index + 1));
  const all = { start: keyOf(0), end: EVERYTHING.end };
  assert.deepEqual(await scanned(store, all), rowsIn(scope, index), `The rows of ${scope.job}, ${scope.operator}.`);
  await store.close();
}

/** Everything that removes or replaces, also what does not end. */
async function liveIn(place: StoreHarness): Promise<void> {
  let { store } = await opened(place);
  await store.apply(markOf(10), deltaOf([...GROUPS].map((group) => put(keyOf(group, "a"), "1"))));
  await store.apply(markOf(11), deltaOf([...GROUPS].map((group) => ({ kind: "clear", prefix: keyOf(group) }))));
  await store.load(GROUPS, rowsOf([keyOf(0, "a"), "2"], [keyOf(3, "b"), "2"]), markOf(12));
  const cut = interruptedAfter([put(keyOf(0, "a"), "3")]);
  await assert.rejects(store.apply(markOf(13), cut), Interruption);
  ({ store } = await reopened(place, store));
  await store.drop(GROUPS);
  await store.close();
}
