/** Deals operator state out anew when the number of tasks, or what they own, has changed. */

import type { BoundState } from "../state/bind.js";
import type { BroadcastState, OperatorListState } from "../state/handles.js";

/** The states of one task of the checkpoint, with its operator state loaded. */
export type OperatorShare = ReadonlyMap<string, BoundState>;

/**
 * Writes the part of task `index` of `taskCount` into its states: of a split list a contiguous share of all elements, of a union list
 * all elements, of a broadcast map one task's copy. The next checkpoint contains it.
 */
export function dealOperatorState(
  states: ReadonlyMap<string, BoundState>,
  shares: readonly OperatorShare[],
  { index, taskCount }: { readonly index: number; readonly taskCount: number },
): void {
  for (const [name, { descriptor, handle }] of states) {
    const parts = shares.map((share) => share.get(name)?.handle);
    switch (descriptor.kind) {
      case "union-list":
        (handle as OperatorListState<unknown>).set(allElements(parts));
        break;
      case "split-list": {
        const all = allElements(parts);
        const start = Math.floor((index * all.length) / taskCount);
        const end = Math.floor(((index + 1) * all.length) / taskCount);
        (handle as OperatorListState<unknown>).set(all.slice(start, end));
        break;
      }
      case "broadcast": {
        const copy = parts[index % Math.max(1, parts.length)] as BroadcastState<unknown, unknown> | undefined;
        for (const [field, value] of copy?.entries() ?? []) {
          (handle as BroadcastState<unknown, unknown>).set(field, value);
        }
        break;
      }
      default:
        // Keyed state goes by key group.
        break;
    }
  }
}

function allElements(parts: readonly unknown[]): unknown[] {
  return parts.flatMap((part) => [...(part as OperatorListState<unknown>).get()]);
}
