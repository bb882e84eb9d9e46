/** Histories of some kinds of commands over some of the states: dense where a whole history would rarely come by. */

import fc from "fast-check";
import type { Command } from "../commands/command.js";
import type { Coverage } from "../commands/coverage.js";
import { reopenAs } from "../commands/reopen-commands.js";
import { World } from "../commands/world.js";
import type { Harness } from "../harness.js";
import type { StateSpec } from "../model/catalog.js";
import { FIRST_SHAPE, type JobModel } from "../model/job-model.js";

/** Commands, and how often each kind is chosen. */
export type Weighted = readonly (readonly [weight: number, commands: fc.Arbitrary<Command>])[];

export interface Histories {
  readonly harness: Harness;
  readonly coverage: Coverage;
  readonly maxCommands: number;
  /** What operators declare. */
  readonly specs: readonly StateSpec[];
  /** How many of them at once, the same in both operators: few, so that calls of one state meet. @defaultValue all */
  readonly few?: number;
  readonly retain?: number;
  /** What the model is told before the first command. */
  readonly settings?: Partial<Pick<JobModel, "evolves" | "rescales" | "focus">>;
}

export function historiesOf(weighted: Weighted, histories: Histories): fc.IAsyncProperty<unknown[]> {
  const { harness, coverage, maxCommands, specs: all, few = all.length, retain = 2, settings = {} } = histories;
  const kinds = weighted.flatMap(([weight, commands]) => Array.from({ length: weight }, () => commands));
  const chosen = few < all.length ? fc.subarray([...all], { minLength: 1, maxLength: few }) : fc.constant(all);
  return fc.asyncProperty(chosen, fc.commands(kinds, { maxCommands, size: "max" }), async (specs, commands) => {
    const start = async () => {
      const both = await World.start(harness, coverage);
      Object.assign(both.model, settings);
      await reopenAs({ ...FIRST_SHAPE, retain, declared: [specs, specs] }, both.model, both.real);
      return both;
    };
    let both: Awaited<ReturnType<typeof start>> | undefined;
    await fc.asyncModelRun(async () => (both = await start()), commands);
    if (both?.model.health === "running") await both.real.expectSame(both.model, "at the end");
  });
}
