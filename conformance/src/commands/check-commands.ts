/** Commands that change nothing: everything is read and compared. */

import fc from "fast-check";
import { memoryPlace } from "../harness.js";
import { FIRST_SHAPE, type JobModel, restoredContents, type Snapshot } from "../model/job-model.js";
import { lookAt } from "../model/times.js";
import { expectEqual } from "../oracles/expectations.js";
import { expectedState, observeJob, stateDifference } from "../oracles/observe.js";
import { type Command, command } from "./command.js";
import { openRunning } from "./open-running.js";
import { seededRandom } from "../faults/seeded-random.js";
import type { World } from "./world.js";

export const observations: fc.Arbitrary<Command> = fc.constant(
  command("observe everything", async (model, real) => {
    if (model.health === "running") await real.expectSame(model, "on looking");
  }),
);

/** Each retained checkpoint of each home restores, to what it was, by someone who does not become owner. */
export const retainedChecks: fc.Arbitrary<Command> = fc.constant(
  command("restore every retained checkpoint", (model, real) => checkRetained(model, real)),
);

export async function checkRetained(model: JobModel, real: World): Promise<void> {
  for (const [index, home] of model.homes.entries()) {
    // What may have been published may have subsumed the others.
    if (home.maybe.length > 0) continue;
    for (const snapshot of home.retained) {
      real.coverage.count("retained restored");
      const from = { from: real.placeOf(index).open(), job: home.job, checkpoint: snapshot.id };
      await expectRestores(snapshot, from, { model, real });
    }
  }
  for (const [index, snapshot] of model.savepoints.entries()) {
    const savepoint = (real.savepoints[index] as World["places"][number]).open();
    await expectRestores(snapshot, { savepoint }, { model, real });
  }
}

/** Restores into a place of its own and compares. */
async function expectRestores(
  snapshot: Snapshot,
  restore: Parameters<typeof openRunning>[0]["restore"],
  { model, real }: { readonly model: JobModel; readonly real: World },
): Promise<void> {
  const parallelism = snapshot.contents.map(({ tasks }) => tasks.length);
  const { catalog, format } = model;
  const shape = { ...FIRST_SHAPE, declared: [catalog, catalog], parallelism, format };
  const reader = await openRunning({
    backend: real.harness.backend(),
    storage: memoryPlace().open(),
    job: "reader",
    shape,
    restore,
    clock: real.clock,
    random: seededRandom(1),
    codecOf: real.harness.codecOf,
    declaredAs: real.harness.declaredAs,
  });
  expectEqual(reader.control.restoredFrom, snapshot.id, "Restored from");
  const contents = restoredContents(snapshot, shape);
  for (const { times } of contents) lookAt(times, model.nowMs);
  const found = stateDifference(await observeJob(reader, shape.declared), expectedState(contents, shape.declared));
  if (found !== undefined) throw new Error(`Checkpoint ${snapshot.id} restores to another state: ${found}`);
  await reader.control.close();
}
