/** What a job of the golden history holds, as plain JavaScript. */

import type { ScalarKey, SyncKeyEnumeration } from "../../src/index.js";
import type { GoldenJob, SpreadTask } from "./history.js";

type Contents = readonly (readonly [ScalarKey, unknown])[];

function contents(state: SyncKeyEnumeration<ScalarKey>, read: (key: ScalarKey) => unknown): Contents {
  return [...state.keysSync()].map((key) => [key, read(key)] as const);
}

interface Reads {
  getSync(key: ScalarKey): unknown;
}

interface ReadsEntries {
  entriesSync(key: ScalarKey): Iterable<unknown>;
}

function whole(state: SyncKeyEnumeration<ScalarKey> & (Reads | ReadsEntries)): Contents {
  return contents(state, (key) => ("entriesSync" in state ? [...state.entriesSync(key)] : state.getSync(key)));
}

/** Keys and contents of every keyed state of the first operator. */
export function everyContent({ tasks: [every] }: GoldenJob): Record<string, Contents> {
  const { states } = every;
  return {
    values: whole(states.values),
    counts: whole(states.counts),
    lists: whole(states.lists),
    maps: whole(states.maps),
    totals: whole(states.totals),
    means: whole(states.means),
    "window values in 1": whole(states["window values"].in(1)),
    "window values in -2": whole(states["window values"].in(-2)),
    "window lists": whole(states["window lists"].in(["w\0", 0.5])),
    "window maps": whole(states["window maps"].in(-(1n << 70n))),
    "window maps in 0": whole(states["window maps"].in(0n)),
    "window totals": whole(states["window totals"].in(Uint8Array.of(0, 255))),
    "window means": whole(states["window means"].in("😀")),
  };
}

/** Keys and values of a task of the second operator. */
export function spreadKeys(task: SpreadTask): (readonly [string, number | undefined])[] {
  const { constructor: state } = task.states;
  return [...state.keysSync()].map((key) => [key, state.getSync(key)] as const);
}
