/** Closing a job and opening it again from its latest checkpoint, in other numbers of tasks, without anything that fails. */

import fc from "fast-check";
import type { Shape } from "../model/job-model.js";
import { takeCheckpoint } from "./checkpoint-commands.js";
import { type Command, command } from "./command.js";
import { stickyOwners } from "./key-group-shares.js";
import { reopenAs } from "./reopen-commands.js";

/** What changes from one opening to the next besides the numbers of tasks. */
export type NextShape = (shape: Shape, choice: number) => Shape;

/** Mostly behind a checkpoint; else what came after the last one is lost. */
export function quietReopens(next: NextShape = (shape) => shape): fc.Arbitrary<Command> {
  const counts = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 }));
  return fc.tuple(counts, fc.nat(3), fc.nat(9999)).map(([parallelism, how, choice]) =>
    command(
      `reopen${how === 0 ? "" : " behind a checkpoint"} as ${parallelism.join()}, ${choice}`,
      async (model, real) => {
        real.coverage.count(how === 0 ? "reopen" : "checkpoint and reopen");
        if (how > 0) await takeCheckpoint(model, real, how === 1);
        const shape = { ...next(model.shape, choice), parallelism };
        await reopenAs(choice % 2 === 0 ? shape : { ...shape, owners: stickyOwners(model, parallelism) }, model, real);
      },
    ),
  );
}
