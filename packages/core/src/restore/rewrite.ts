/**
 * Rewrites the state of an operator under other keys: every live entry of every task is read, gets the key that `move` gives, and goes to
 * whichever of the new tasks owns its key group.
 *
 * Invariants:
 * - The tasks of the checkpoint are read one after the other, each merged, so what was deleted or replaced is not asked for.
 */

import type { SegmentRef, TaskManifest } from "../checkpoint/manifest.js";
import { type CodecKnowledge, openEntries, type SegmentPlace } from "../checkpoint/task-chain.js";
import { type BinaryKey, readUint16 } from "../key/binary-key.js";
import { type KeyGroups, OPERATOR_GROUP } from "../key/key-groups.js";
import type { EntryBlock, EntrySource } from "../segment/entry-block.js";
import { mergedEntries } from "../segment/merged-entries.js";
import type { Slicer } from "../segment/slicer.js";
import type { SegmentSorter, SortedSegments } from "./segment-sorter.js";

/** Gives the key that an entry gets. Keys of operator state stay in their own key group. */
export type Move = (key: BinaryKey) => BinaryKey;

/** Segments of a task of a checkpoint, oldest first. */
export interface StoredChain {
  readonly place: SegmentPlace;
  readonly segments: readonly SegmentRef[];
  /** Needed if a segment has values in a former codec. */
  readonly codecs?: CodecKnowledge | undefined;
}

/** The tasks of an operator as they are stored. */
export interface StoredOperator extends Omit<StoredChain, "segments"> {
  readonly tasks: readonly TaskManifest[];
}

/** Where entries go. */
export interface RewriteTarget {
  /** What the new tasks own. */
  readonly owned: readonly KeyGroups[];
  /** The new task that gets the operator state of a task of the checkpoint, if one does. */
  readonly heirOf: (task: TaskManifest, index: number) => number | undefined;
  readonly sorter: SegmentSorter;
  readonly slicer: Slicer;
}

/** @throws what `move` throws, and CHECKPOINT_CORRUPT if a segment is missing or damaged */
export async function rewriteOperator(
  stored: StoredOperator,
  move: Move,
  { owned, heirOf, sorter, slicer }: RewriteTarget,
): Promise<SortedSegments> {
  const owners = ownersOf(owned);
  for (const [index, task] of stored.tasks.entries()) {
    const heir = heirOf(task, index);
    for await (const block of await liveEntries({ ...stored, segments: task.segments })) {
      for (let at = 0; at < block.count; at++) {
        const key = move(block.keys[at] as BinaryKey);
        const group = readUint16(key, 0);
        const output = group === OPERATOR_GROUP ? heir : owners.get(group);
        if (output !== undefined) sorter.add(output, key, { block, at });
      }
      if (sorter.isFull) await sorter.flush();
      if (slicer.isDue()) await slicer.pause();
    }
  }
  return sorter.finish();
}

/** Moves every key and throws the results away: what would fail is known before anything changes. */
export async function tryMove(chain: StoredChain, move: Move, slicer: Slicer): Promise<void> {
  for await (const { keys } of await liveEntries(chain)) {
    for (const key of keys) move(key);
    if (slicer.isDue()) await slicer.pause();
  }
}

/** The entries of a chain of segments, those that are not deleted or replaced. */
export async function liveEntries({ place, segments, codecs }: StoredChain): Promise<EntrySource> {
  const sources: EntrySource[] = [];
  for (const ref of segments) sources.push(await openEntries(place, ref, codecs));
  return mergedEntries(sources);
}

/** `source` under other keys, in the order in which it comes. */
export async function* movedEntries(source: EntrySource, move: Move): AsyncGenerator<EntryBlock, void, undefined> {
  for await (const block of source) yield { ...block, keys: block.keys.map(move) };
}

function ownersOf(owned: readonly KeyGroups[]): ReadonlyMap<number, number> {
  const owners = new Map<number, number>();
  for (const [output, groups] of owned.entries()) for (const group of groups) owners.set(group, output);
  return owners;
}
