/**
 * Brings the store of a task to the checkpoint that is restored, at the least cost per key group:
 *
 *   the store has just that                      ─▶ it is used as it is
 *   it has an earlier part of the same chain     ─▶ the segments behind that are applied
 *   anything else, or nothing                    ─▶ the key groups are rebuilt from the chain
 */

import type { SegmentRef } from "../checkpoint/manifest.js";
import { type CodecKnowledge, openEntries, type SegmentPlace } from "../checkpoint/task-chain.js";
import type { Clock } from "../contracts/clock.js";
import type { AppliedGroups, StoreMark } from "../contracts/store.js";
import { type KeyGroupRange, KeyGroups } from "../key/key-groups.js";
import type { EntrySource } from "../segment/entry-block.js";
import { Slicer } from "../segment/slicer.js";
import { prefixRange, statePrefix, valueReader } from "../stored/store-entry.js";
import type { TaskStore } from "../stored/task-store.js";
import type { StateTable } from "../table/state-table.js";

/** What a store is brought to. */
export interface StoreTarget {
  readonly place: SegmentPlace;
  /** Oldest first. */
  readonly segments: readonly SegmentRef[];
  readonly codecs: CodecKnowledge | undefined;
  readonly groups: KeyGroups;
  readonly checkpoint: number;
  /** The segments that stood for a key group before, where they are not `segments`: of the task that had the group then. */
  readonly segmentsOf?: ((group: number) => readonly SegmentRef[] | undefined) | undefined;
}

/** What was done. */
export type StoreRestore = "reused" | "rolled forward" | "rebuilt";

/** @throws {StateBackendError} what the store or the storage throws */
export async function restoreStore(
  store: TaskStore,
  found: readonly AppliedGroups[],
  target: StoreTarget,
): Promise<StoreRestore> {
  const mark: StoreMark = { checkpoint: target.checkpoint, tag: store.tagOf(target.segments) };
  const plan = plannedGroups(store, found, target);
  if (plan.rebuild.count > 0) {
    await store.load(plan.rebuild, sources(target, 0, plan.rebuild), mark);
    // What was to be rolled forward is rebuilt as well then: so many key groups are read either way.
    if (plan.forward !== undefined) {
      await store.load(plan.forward.groups, sources(target, 0, plan.forward.groups), mark);
    }
    if (plan.isUniform) store.keepAs(mark);
    return "rebuilt";
  }
  if (plan.forward !== undefined) {
    await store.apply(mark, sources(target, plan.forward.from, target.groups));
    return "rolled forward";
  }
  if (plan.isUniform) store.keepAs(mark);
  return "reused";
}

/** Loads the tables that are in memory all the same. */
export async function loadFromStore(
  store: TaskStore,
  tables: readonly StateTable[],
  { groups, clock }: { readonly groups: KeyGroups; readonly clock: Clock },
): Promise<void> {
  const slicer = new Slicer(clock);
  for (const table of tables) {
    for (const group of groups) {
      for await (const { key, value } of store.scan(prefixRange(statePrefix(group, table.stateId)))) {
        table.load(key, 0, valueReader(value));
        if (slicer.isDue()) await slicer.pause();
      }
    }
  }
}

interface StorePlan {
  readonly rebuild: KeyGroups;
  /** Groups that have the first `from` segments of the chain. */
  readonly forward: { readonly groups: KeyGroups; readonly from: number } | undefined;
  /** Whether every key group stands on the chain of the task itself. */
  readonly isUniform: boolean;
}

function plannedGroups(store: TaskStore, found: readonly AppliedGroups[], target: StoreTarget): StorePlan {
  const lengths = new Map<string, number>();
  for (let length = 0; length <= target.segments.length; length++) {
    lengths.set(store.tagOf(target.segments.slice(0, length)), length);
  }
  const rebuild: KeyGroupRange[] = [];
  const forward: KeyGroupRange[] = [];
  let from = target.segments.length;
  let isUniform = true;
  for (const group of target.groups) {
    const range = { first: group, last: group };
    const there = found.find(({ groups }) => groups.first <= group && group <= groups.last);
    const before = target.segmentsOf?.(group);
    if (before !== undefined) {
      isUniform = false;
      if (there?.applying !== undefined || there?.mark.tag !== store.tagOf(before)) rebuild.push(range);
      continue;
    }
    const has = there === undefined ? undefined : lengths.get(there.mark.tag);
    // What was being applied is of no use if it is no part of what is restored.
    const isAstray = there?.applying !== undefined && !lengths.has(there.applying.tag);
    if (has === undefined || isAstray) rebuild.push(range);
    else if (there?.applying !== undefined || has < target.segments.length) {
      forward.push(range);
      from = Math.min(from, has);
    }
  }
  return {
    rebuild: KeyGroups.of(rebuild),
    forward: forward.length === 0 ? undefined : { groups: KeyGroups.of(forward), from },
    isUniform,
  };
}

/** The visible entries of the chain from the segment at `from` on, of some key groups. */
function sources(
  { place, segments, codecs }: StoreTarget,
  from: number,
  groups: KeyGroups,
): () => Promise<readonly EntrySource[]> {
  return async () => {
    const opened: EntrySource[] = [];
    for (const ref of segments.slice(from)) {
      const keyGroups = ref.keyGroups.intersect(groups);
      if (keyGroups.count > 0) opened.push(await openEntries(place, { ...ref, keyGroups }, codecs));
    }
    return opened;
  };
}
