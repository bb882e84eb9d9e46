/**
 * (f) After a collection the storage holds exactly what retained manifests reach; (g) what is said to be retained restores, and
 * nothing else does. Without failures of the storage: those leave things behind that are collected later.
 */

import fc from "fast-check";
import { checkRetained } from "../commands/check-commands.js";
import { quietCheckpoints } from "../commands/checkpoint-commands.js";
import type { Command } from "../commands/command.js";
import type { Coverage } from "../commands/coverage.js";
import { openRunning } from "../commands/open-running.js";
import { reopenCommands } from "../commands/reopen-commands.js";
import { stateCommands } from "../commands/state-commands.js";
import { World } from "../commands/world.js";
import { ManualClock } from "../faults/manual-clock.js";
import { seededRandom } from "../faults/seeded-random.js";
import { type Harness, memoryPlace } from "../harness.js";
import { FIRST_SHAPE, type JobModel } from "../model/job-model.js";
import { expectCode } from "../oracles/expectations.js";

export function listingIsTrue(harness: Harness, coverage: Coverage): fc.IAsyncProperty<unknown[]> {
  const kinds = [stateCommands, stateCommands, quietCheckpoints, quietCheckpoints, reopenCommands].map((kind) =>
    kind.map((each) => withListing(each)),
  );
  return fc.asyncProperty(fc.commands(kinds, { maxCommands: 30, size: "max" }), async (commands) => {
    const setup = (): ReturnType<typeof World.start> => World.start(harness, coverage);
    await fc.asyncModelRun(setup, commands);
  });
}

function withListing(each: Command): Command {
  return {
    check: () => true,
    async run(model, real) {
      const before = model.home.retained.length;
      await each.run(model, real);
      if (model.home.retained.length === before && each.toString().startsWith("#")) return;
      await checkRetained(model, real);
      await expectNothingElse(model, real);
    },
    toString: () => each.toString(),
  };
}

/** No id besides those retained restores. */
async function expectNothingElse(model: JobModel, real: World): Promise<void> {
  const retained = new Set(real.running.control.retained);
  const highest = Math.max(0, ...retained);
  for (let id = 0; id <= highest + 2; id++) {
    if (retained.has(id)) continue;
    const open = () =>
      openRunning({
        backend: real.harness.backend(),
        storage: memoryPlace().open(),
        job: "reader",
        shape: FIRST_SHAPE,
        restore: { from: real.placeOf(model.current).open(), job: model.home.job, checkpoint: id },
        clock: new ManualClock(),
        random: seededRandom(1),
      });
    await expectCode(open, ["CHECKPOINT_NOT_FOUND"], `Checkpoint ${id}, which is not retained`);
  }
}
