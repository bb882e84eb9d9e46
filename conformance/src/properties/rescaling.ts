/** (d) Any way from p tasks to q and back changes nothing but who holds what. */

import fc from "fast-check";
import type { LooseTask } from "../commands/call-state.js";
import { call, handleOf } from "../commands/call-state.js";
import { takeCheckpoint } from "../commands/checkpoint-commands.js";
import { operationChoices } from "../commands/command.js";
import type { Coverage } from "../commands/coverage.js";
import { reopenAs } from "../commands/reopen-commands.js";
import { runOperation } from "../commands/state-commands.js";
import { World } from "../commands/world.js";
import type { Harness } from "../harness.js";
import { CATALOG, isOperatorKind } from "../model/catalog.js";
import type { JobModel } from "../model/job-model.js";
import { expectEqual } from "../oracles/expectations.js";
import { linesOf, observeJob } from "../oracles/observe.js";

const counts = fc.integer({ min: 1, max: 6 });
const operations = fc.array(operationChoices, { maxLength: 60, size: "max" });

/** From one task through any numbers of tasks and back to one. */
export function rescalingIsIdentity(harness: Harness, coverage: Coverage): fc.IAsyncProperty<unknown[]> {
  const ways = fc.oneof(fc.constant([2, 3]), fc.array(counts, { minLength: 1, maxLength: 5 }));
  return fc.asyncProperty(operations, ways, async (choices, way) => {
    const { model, real } = await World.start(harness, coverage);
    const keepsAll = { ...model.shape, retain: 3 };
    await reopenAs({ ...keepsAll, parallelism: [1, 1] }, model, real);
    for (const choice of choices) await runOperation(choice, model, real);
    await takeCheckpoint(model, real);
    const before = { keyed: await keyedLines(model, real), split: splitElements(real) };
    for (const count of [...way, 1]) {
      await reopenAs({ ...keepsAll, parallelism: [count, Math.min(count, 2)] }, model, real);
      expectEqual(splitElements(real), before.split, `Elements of split lists over ${count} tasks`);
      await takeCheckpoint(model, real);
    }
    expectEqual(await keyedLines(model, real), before.keyed, `Keyed state after ${way.join()},1 tasks`);
  });
}

async function keyedLines(model: JobModel, real: World): Promise<readonly string[]> {
  const declared = model.shape.declared.map((specs) =>
    specs.filter(({ kind }) => !isOperatorKind(kind) || kind === "broadcast"),
  );
  return linesOf(await observeJob(real.running, declared));
}

/** All elements of all tasks, in the order of the tasks. */
function splitElements(real: World): unknown[] {
  const spec = CATALOG.find(({ kind }) => kind === "split-list");
  if (spec === undefined) return [];
  const elements = (task: LooseTask): unknown[] => call(handleOf(task, { spec, namespace: "" }), "get") as unknown[];
  return real.running.operators.map((tasks) => tasks.flatMap(elements));
}
