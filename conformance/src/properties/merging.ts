/** (p) Merging moves everything that a key has in the sources, once and in order, and leaves nothing behind. */

import type fc from "fast-check";
import { quietCheckpoints } from "../commands/checkpoint-commands.js";
import type { Coverage } from "../commands/coverage.js";
import { quietReopens } from "../commands/quiet-reopens.js";
import { stateCommands } from "../commands/state-commands.js";
import { clockMoves, watermarks } from "../commands/time-commands.js";
import type { Harness } from "../harness.js";
import { CATALOG, type StateKind } from "../model/catalog.js";
import { historiesOf } from "./run-commands.js";

const KINDS: readonly StateKind[] = ["list", "reducing", "aggregating"];

const MERGED = CATALOG.filter(({ kind, isNamespaced }) => isNamespaced && KINDS.includes(kind));

export function mergingMovesAll(harness: Harness, coverage: Coverage): fc.IAsyncProperty<unknown[]> {
  return historiesOf(
    [
      [14, stateCommands],
      [1, clockMoves],
      [1, watermarks],
      [1, quietCheckpoints],
      [1, quietReopens()],
    ],
    { harness, coverage, maxCommands: 60, specs: MERGED, few: 2 },
  );
}
