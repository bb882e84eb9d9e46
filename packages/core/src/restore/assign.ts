/** Deals the segments of a checkpoint out to tasks that own other key groups than those that wrote it. */

import type { OperatorManifest, SegmentRef } from "../checkpoint/manifest.js";
import { openSegment, type SegmentPlace } from "../checkpoint/task-chain.js";
import { quoted, StateBackendError } from "../errors.js";
import { KeyGroups, OPERATOR_GROUP } from "../key/key-groups.js";

const OPERATOR_GROUPS = KeyGroups.of([{ first: OPERATOR_GROUP, last: OPERATOR_GROUP }]);

/** What a task takes over. */
export interface Assignment {
  /** Oldest first within each key group. */
  readonly segments: readonly SegmentRef[];
  /** Whether operator state is in them; otherwise it is to be dealt out anew. */
  readonly hasOperatorState: boolean;
}

/**
 * The segments, or parts of segments, that hold the state of `groups`.
 * @throws {StateBackendError} STATE_INCOMPATIBLE if the checkpoint does not have all of these key groups
 */
export async function assignSegments(
  operator: OperatorManifest,
  groups: KeyGroups,
  { place, isSameLayout }: { readonly place: SegmentPlace; readonly isSameLayout: boolean },
): Promise<Assignment> {
  checkCovered(operator, groups);
  const same = operator.tasks.find((task) => task.keyGroups.equals(groups));
  if (same !== undefined && isSameLayout) return { segments: same.segments, hasOperatorState: true };
  const segments: SegmentRef[] = [];
  for (const task of operator.tasks) segments.push(...(await visibleParts(place, task.segments, groups)));
  // Parts of different tasks have no key group in common, so their order is free: levels must not rise along a chain.
  segments.sort((a, b) => b.level - a.level);
  return { segments, hasOperatorState: false };
}

/** Whether the tasks that are to run own just what the tasks of the checkpoint owned. */
export function hasLayout(operator: OperatorManifest, tasks: readonly KeyGroups[]): boolean {
  return (
    operator.tasks.length === tasks.length &&
    tasks.every((groups) => operator.tasks.some(({ keyGroups }) => keyGroups.equals(groups)))
  );
}

/** The operator state in the segments of one task. */
export function operatorParts(place: SegmentPlace, segments: readonly SegmentRef[]): Promise<SegmentRef[]> {
  return visibleParts(place, segments, OPERATOR_GROUPS);
}

/** @throws {StateBackendError} STATE_INCOMPATIBLE if some of `groups` are in no task of the checkpoint */
export function checkCovered(operator: OperatorManifest, groups: KeyGroups): void {
  const present = KeyGroups.of(operator.tasks.flatMap((task) => task.keyGroups.ranges));
  if (groups.isSubsetOf(present)) return;
  throw new StateBackendError(
    "STATE_INCOMPATIBLE",
    `The checkpoint does not have all key groups that the task is to own. operator=${quoted(operator.name)} owned=${JSON.stringify(groups)} checkpoint=${JSON.stringify(present)}. Restore a checkpoint of all tasks, or own fewer key groups.`,
  );
}

async function visibleParts(
  place: SegmentPlace,
  segments: readonly SegmentRef[],
  groups: KeyGroups,
): Promise<SegmentRef[]> {
  const parts: SegmentRef[] = [];
  for (const ref of segments) {
    const keyGroups = ref.keyGroups.intersect(groups);
    if (keyGroups.count === 0) continue;
    const { index } = await openSegment(place, ref);
    const visible = index.groups.filter(({ group }) => keyGroups.has(group));
    parts.push({
      ...ref,
      keyGroups,
      entries: visible.reduce((sum, { entries }) => sum + entries, 0),
      visibleBytes: visible.reduce((sum, { blockBytes }) => blockBytes.reduce((total, bytes) => total + bytes, sum), 0),
    });
  }
  return parts;
}
