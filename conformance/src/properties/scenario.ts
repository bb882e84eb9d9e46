/**
 * A fixed life of a job: open, writes, three checkpoints with one retained, open again, writes, one more checkpoint.
 * Whoever interrupts it knows what was acknowledged, and what was in flight.
 */

import fc from "fast-check";
import { Coverage } from "../commands/coverage.js";
import { operationChoices } from "../commands/command.js";
import { runOperation } from "../commands/state-commands.js";
import { HOMES, World } from "../commands/world.js";
import type { Harness } from "../harness.js";
import { CATALOG } from "../model/catalog.js";
import { FIRST_SHAPE, JobModel, type Shape, type Snapshot } from "../model/job-model.js";
import type { OperationChoice } from "../model/operation.js";
import { expectEqual, expectThat } from "../oracles/expectations.js";

/** Enough states to see every kind of row, and few enough to do this thousands of times. */
const SHAPE: Shape = {
  ...FIRST_SHAPE,
  declared: [CATALOG.filter(({ kind }) => kind !== "aggregating"), CATALOG.slice(0, 1)],
};

const SEED = 20_260_801;
const CHECKPOINTS_PER_LIFE = 3;
const WRITES_PER_CHECKPOINT = 12;

/** What is known of the checkpoints. */
export interface Knowledge {
  /** The last that was acknowledged. */
  readonly acknowledged: Snapshot | undefined;
  /** Those that were begun since, and not acknowledged; their ids are not known. */
  readonly inFlight: readonly Snapshot[];
}

/** Told before each checkpoint and after each acknowledgement, and at each opening that succeeded. */
export interface Observer {
  learned(knowledge: Knowledge): void;
}

export const NOTHING: Knowledge = { acknowledged: undefined, inFlight: [] };

/** The scenario, from an empty place. Ends with whatever error the harness causes. */
export async function live(harness: Harness, observer: Observer): Promise<void> {
  const knowledge = await liveOn(harness, { knowledge: NOTHING, shape: SHAPE, round: 0 }, observer);
  await liveOn(harness, { knowledge, shape: { ...SHAPE, parallelism: [3, 1] }, round: 1 }, observer);
}

interface Stage {
  readonly knowledge: Knowledge;
  readonly shape: Shape;
  /** Tells the writes of one opening from those of another. */
  readonly round: number;
}

/** Opens the job, checks what it continues from, writes and takes checkpoints. */
export async function liveOn(harness: Harness, stage: Stage, observer: Observer): Promise<Knowledge> {
  const { model, real } = newWorld(harness, stage.round);
  let knowledge = await openAndJudge(model, real, stage);
  observer.learned(knowledge);
  const writes = someOperations(SEED + stage.round, CHECKPOINTS_PER_LIFE * WRITES_PER_CHECKPOINT);
  for (let index = 0; index < (stage.round === 0 ? CHECKPOINTS_PER_LIFE : 1); index++) {
    const from = index * WRITES_PER_CHECKPOINT;
    for (const choice of writes.slice(from, from + WRITES_PER_CHECKPOINT)) await runOperation(choice, model, real);
    const snapshot = model.snapshot(-1);
    knowledge = { ...knowledge, inFlight: [...knowledge.inFlight, snapshot] };
    observer.learned(knowledge);
    const info = await real.running.control.checkpoint();
    knowledge = { acknowledged: { ...snapshot, id: info.id }, inFlight: [] };
    observer.learned(knowledge);
  }
  await real.running.control.close();
  return knowledge;
}

/** A world whose job is not open yet. */
function newWorld(harness: Harness, round: number): { readonly model: JobModel; readonly real: World } {
  const model = new JobModel(HOMES);
  // No two openings draw the same nonce.
  const real = new World(harness, new Coverage(), 100 * round);
  real.newStorage(model);
  return { model, real };
}

/** Opens the latest; it must be what was acknowledged last, or one that was in flight. */
async function openAndJudge(model: JobModel, real: World, { knowledge, shape }: Stage): Promise<Knowledge> {
  await real.open(model, shape, "latest");
  const { restoredFrom } = real.running.control;
  const { acknowledged, inFlight } = knowledge;
  if (restoredFrom === acknowledged?.id) {
    model.restore(acknowledged, shape);
    await real.expectSame(model, "after the recovery of what was acknowledged");
    return { acknowledged, inFlight };
  }
  const last = acknowledged?.id ?? 0;
  expectThat(restoredFrom !== undefined && restoredFrom > last, `Restored ${restoredFrom}, acknowledged was ${last}`);
  const errors: unknown[] = [];
  for (const candidate of inFlight) {
    model.restore({ ...candidate, id: restoredFrom }, shape);
    try {
      await real.expectSame(model, "after the recovery of what was in flight");
      return { acknowledged: { ...candidate, id: restoredFrom }, inFlight: [] };
    } catch (error) {
      errors.push(error);
    }
  }
  throw new AggregateError(errors, `Restored ${restoredFrom}, which is none of ${inFlight.length} in flight`);
}

export interface Recovery {
  readonly knowledge: Knowledge;
  /** From 2; each recovery of one place has its own two. */
  readonly round: number;
}

/** Opens what an interruption left, goes on, and opens once more. */
export async function recover(harness: Harness, { knowledge, round }: Recovery, observer?: Observer): Promise<void> {
  let last = knowledge;
  const shape = SHAPE;
  const learned = (next: Knowledge): void => {
    last = next;
    observer?.learned(next);
  };
  await liveOn(harness, { knowledge, shape, round }, { learned });
  const { model, real } = newWorld(harness, round + 1);
  const found = await openAndJudge(model, real, { knowledge: last, shape, round: round + 1 });
  expectEqual(found.acknowledged?.id, last.acknowledged?.id, "The last checkpoint after the recovery");
}

function someOperations(seed: number, count: number): readonly OperationChoice[] {
  return fc.sample(operationChoices, { seed, numRuns: count });
}
