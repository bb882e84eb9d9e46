/**
 * (b) restore(checkpoint(s)) = s, for any history of operations, checkpoints, failures, aborts, crashes, rescalings and restores;
 * (f) and (g) hold at every step of it.
 */

import fc from "fast-check";
import { type Program, programs } from "../commands/all-commands.js";
import { checkRetained } from "../commands/check-commands.js";
import type { Coverage } from "../commands/coverage.js";
import { World } from "../commands/world.js";
import type { Harness } from "../harness.js";
import type { JobModel } from "../model/job-model.js";

export function anyHistory(
  harness: Harness,
  coverage: Coverage,
  maxCommands: number,
  maxCalls = 1,
): fc.IAsyncProperty<[Program]> {
  return fc.asyncProperty(programs(maxCommands, maxCalls), async ({ commands, ...settings }) => {
    let both: { readonly model: JobModel; readonly real: World } | undefined;
    const setup = async () => {
      both = await World.start(harness, coverage, settings);
      return both;
    };
    await fc.asyncModelRun(setup, commands as Iterable<fc.AsyncCommand<JobModel, World>>);
    if (both !== undefined) await checkRetained(both.model, both.real);
  });
}
