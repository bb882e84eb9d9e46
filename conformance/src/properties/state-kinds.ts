/** (a) Every kind of state against plain collections, without any checkpoint. */

import fc from "fast-check";
import { operationChoices } from "../commands/command.js";
import type { Coverage } from "../commands/coverage.js";
import { openJudged, latestSource } from "../commands/reopen-commands.js";
import { concurrentUpdates, refusedWrites, runOperation } from "../commands/state-commands.js";
import { World } from "../commands/world.js";
import type { Harness } from "../harness.js";
import type { StateSpec } from "../model/catalog.js";
import { FIRST_SHAPE } from "../model/job-model.js";
import type { OperationChoice } from "../model/operation.js";

/** One kind of state alone, so that its operations are dense; in two tasks. */
export function stateKind(spec: StateSpec, harness: Harness, coverage: Coverage): fc.IAsyncProperty<unknown[]> {
  const choices = fc.array(operationChoices, { maxLength: 120, size: "max" });
  return fc.asyncProperty(choices, fc.array(refusedWrites), fc.array(concurrentUpdates), async (...given) => {
    const [operations, refusals, updates] = given as [readonly OperationChoice[], ...(typeof given)[1][]];
    const { model, real } = await World.start(harness, coverage);
    await real.running.control.close();
    real.newStorage(model);
    await openJudged(latestSource(), { ...FIRST_SHAPE, declared: [[spec], [spec]] }, { model, real });
    for (const choice of operations) await runOperation(choice, model, real);
    for (const each of [...(refusals ?? []), ...(updates ?? [])]) await each.run(model, real);
    await real.expectSame(model, "at the end");
  });
}
