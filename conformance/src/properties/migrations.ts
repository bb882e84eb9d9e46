/**
 * (o) Values that a former codec wrote are today's, each exactly once and with nothing lost: whatever was written before and since,
 * whatever checkpoint, compaction, crash or restore comes between.
 */

import type fc from "fast-check";
import { observations, retainedChecks } from "../commands/check-commands.js";
import { quietCheckpoints, savepoints, writesDuringUpload } from "../commands/checkpoint-commands.js";
import type { Coverage } from "../commands/coverage.js";
import { quietReopens } from "../commands/quiet-reopens.js";
import { reopenCommands } from "../commands/reopen-commands.js";
import { stateCommands } from "../commands/state-commands.js";
import { clockMoves } from "../commands/time-commands.js";
import type { Harness } from "../harness.js";
import { CATALOG } from "../model/catalog.js";
import { LAST_FORMAT } from "../model/migrations.js";
import type { Shape } from "../model/job-model.js";
import { historiesOf } from "./run-commands.js";

export function migrationIsLossless(harness: Harness, coverage: Coverage): fc.IAsyncProperty<unknown[]> {
  return historiesOf(
    [
      [12, stateCommands],
      [1, clockMoves],
      [3, quietCheckpoints],
      [1, writesDuringUpload],
      [1, savepoints],
      [2, quietReopens(evolved)],
      [1, reopenCommands],
      [1, observations],
      [1, retainedChecks],
    ],
    { harness, coverage, maxCommands: 50, specs: CATALOG, settings: { evolves: true, rescales: true } },
  );
}

function evolved(shape: Shape, choice: number): Shape {
  return choice % 3 === 0 ? shape : { ...shape, format: Math.min((shape.format ?? 0) + 1, LAST_FORMAT) };
}
