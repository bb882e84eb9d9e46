/**
 * (m) A value lives exactly as long as it is declared to, whatever happens meanwhile: the clock set back, watermarks, checkpoints,
 * restores, other numbers of tasks, a time to live that is turned on or off.
 */

import type fc from "fast-check";
import { observations } from "../commands/check-commands.js";
import { quietCheckpoints } from "../commands/checkpoint-commands.js";
import type { Coverage } from "../commands/coverage.js";
import { quietReopens } from "../commands/quiet-reopens.js";
import { stateCommands } from "../commands/state-commands.js";
import { clockMoves, watermarks } from "../commands/time-commands.js";
import type { Harness } from "../harness.js";
import { CATALOG, type StateSpec } from "../model/catalog.js";
import type { Shape } from "../model/job-model.js";
import { historiesOf } from "./run-commands.js";

/** States whose values expire, or will. */
const EXPIRING = CATALOG.filter(({ ttl }) => ttl !== undefined);

export function ttlIsExact(harness: Harness, coverage: Coverage): fc.IAsyncProperty<unknown[]> {
  return historiesOf(
    [
      [24, stateCommands],
      [8, clockMoves],
      [6, watermarks],
      [3, quietCheckpoints],
      [3, quietReopens()],
      [1, quietReopens(withOneTurned)],
      [2, observations],
    ],
    { harness, coverage, maxCommands: 80, specs: EXPIRING, few: 2 },
  );
}

/** The time to live of one state is turned off, or on again. */
function withOneTurned(shape: Shape, choice: number): Shape {
  const { name } = EXPIRING[choice % EXPIRING.length] as StateSpec;
  const turned = (spec: StateSpec): StateSpec => {
    if (spec.name !== name) return spec;
    const { ttl, ...others } = spec;
    return ttl === undefined ? (EXPIRING[choice % EXPIRING.length] as StateSpec) : others;
  };
  return { ...shape, declared: shape.declared.map((specs) => specs.map(turned)) };
}
