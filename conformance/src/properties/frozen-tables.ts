/** (e) What a barrier has frozen is not changed by anything that is written afterwards. */

import fc from "fast-check";
import { heldCheckpointChoices, holdCheckpoint } from "../commands/checkpoint-commands.js";
import { operationChoices } from "../commands/command.js";
import type { Coverage } from "../commands/coverage.js";
import { reopenAs } from "../commands/reopen-commands.js";
import { runOperation } from "../commands/state-commands.js";
import { World } from "../commands/world.js";
import type { Harness } from "../harness.js";
import { expectThat } from "../oracles/expectations.js";

const operations = fc.array(operationChoices, { minLength: 1, maxLength: 40, size: "max" });

/** Writes, a checkpoint that is held up, more writes; then only the checkpoint is left. */
export function frozenIsFrozen(harness: Harness, coverage: Coverage): fc.IAsyncProperty<unknown[]> {
  return fc.asyncProperty(operations, heldCheckpointChoices, operations, async (before, held, during) => {
    const { model, real } = await World.start(harness, coverage);
    for (const choice of before) await runOperation(choice, model, real);
    const { gate, work, snapshot } = await holdCheckpoint({ ...held, during }, model, real);
    gate.open();
    const result = await work;
    expectThat(!("error" in result), "The checkpoint failed");
    model.publish({ ...snapshot, id: result.value.id });
    await reopenAs(model.shape, model, real);
  });
}
