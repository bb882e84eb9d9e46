/** What all commands of the model have in common. */

import fc from "fast-check";
import type { SeededRandom } from "../faults/seeded-random.js";
import type { JobModel } from "../model/job-model.js";
import type { OperationChoice } from "../model/operation.js";
import { VALUE_CHOICES } from "../model/domains.js";
import type { World } from "./world.js";

export type Command = fc.AsyncCommand<JobModel, World>;

/** A command from a function; `text` shows it in a counterexample. */
export function command(text: string, run: (model: JobModel, real: World) => Promise<void>): Command {
  return { check: () => true, run, toString: () => text };
}

const CHOICE_MAX = 9999;
const choice = fc.nat(CHOICE_MAX);

/** Operations by numbers. Few keys are chosen often. */
export const operationChoices: fc.Arbitrary<OperationChoice> = fc.record({
  operator: fc.nat(1),
  state: choice,
  verb: choice,
  key: fc.oneof({ weight: 3, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: choice }),
  namespace: fc.oneof({ weight: 3, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.nat(3) }),
  field: fc.oneof({ weight: 2, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: choice }),
  values: fc.array(fc.nat(VALUE_CHOICES - 1), { maxLength: 3 }),
  isSync: fc.boolean(),
  tampers: fc.boolean(),
  task: fc.nat(3),
});

/** One of the same operations, with the same weights: drawn at a tenth of the cost, and never made smaller. */
export function drawOperation(random: SeededRandom): OperationChoice {
  const below = (bound: number): number => random.below(bound);
  const usually = (few: number, bound: number, parts: number): number => below(below(parts) > 0 ? few : bound);
  return {
    operator: below(2),
    state: below(CHOICE_MAX + 1),
    verb: below(CHOICE_MAX + 1),
    key: usually(3, CHOICE_MAX + 1, 4),
    namespace: usually(2, 4, 4),
    field: usually(3, CHOICE_MAX + 1, 3),
    values: Array.from({ length: below(4) }, () => below(VALUE_CHOICES)),
    isSync: below(2) === 1,
    tampers: below(2) === 1,
    task: below(4),
  };
}
