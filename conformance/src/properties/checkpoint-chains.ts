/** (c) A full checkpoint holds the same as a chain of incremental ones, also if some of the chain were aborted. */

import fc from "fast-check";
import { takeCheckpoint } from "../commands/checkpoint-commands.js";
import { operationChoices } from "../commands/command.js";
import type { Coverage } from "../commands/coverage.js";
import { reopenAs } from "../commands/reopen-commands.js";
import { runOperation } from "../commands/state-commands.js";
import { World } from "../commands/world.js";
import type { Harness } from "../harness.js";
import { digestOf } from "../model/canonical.js";
import type { JobModel } from "../model/job-model.js";
import type { OperationChoice } from "../model/operation.js";
import { expectCode, expectThat } from "../oracles/expectations.js";
import { linesOf, observeJob } from "../oracles/observe.js";

interface Round {
  readonly operations: readonly OperationChoice[];
  /** Whether the checkpoint of the third job is made to fail. */
  readonly isAborted: boolean;
}

const rounds: fc.Arbitrary<readonly Round[]> = fc.array(
  fc.record({ operations: fc.array(operationChoices, { maxLength: 12, size: "max" }), isAborted: fc.boolean() }),
  { minLength: 1, maxLength: 20, size: "max" },
);

type Take = (round: Round, model: JobModel, real: World) => Promise<void>;

/** How each of the jobs takes its checkpoints. */
const TAKERS: readonly Take[] = [
  (_, model, real) => takeCheckpoint(model, real),
  (_, model, real) => takeCheckpoint(model, real, true),
  ({ isAborted }, model, real) => (isAborted ? abortCheckpoint(real) : takeCheckpoint(model, real)),
];

export function fullIsChain(harness: Harness, coverage: Coverage): fc.IAsyncProperty<unknown[]> {
  return fc.asyncProperty(rounds, async (given) => {
    const digests = new Set<string>();
    for (const take of TAKERS) {
      const { model, real } = await World.start(harness, coverage);
      for (const round of given) {
        for (const choice of round.operations) await runOperation(choice, model, real);
        await take(round, model, real);
      }
      await takeCheckpoint(model, real);
      await reopenAs(model.shape, model, real);
      digests.add(digestOf(linesOf(await observeJob(real.running, model.shape.declared))));
    }
    expectThat(
      digests.size === 1,
      "Full checkpoints, incremental ones and ones with aborts restore to different states",
    );
  });
}

/** What was frozen is folded into the next one. Where nothing was written, nothing is uploaded and nothing can fail. */
async function abortCheckpoint(real: World): Promise<void> {
  const { storage, running } = real;
  const put = { call: "put", kind: "manifest", when: "before" } as const;
  storage.addRule({ ...put, effect: { kind: "error", outcome: "not-applied" } });
  await expectCode(() => running.control.checkpoint(), ["UNAVAILABLE"], "A checkpoint that is not stored");
  storage.heal();
}
