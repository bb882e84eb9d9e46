/**
 * (l) Two processes run one job. Whoever came later is the owner, and the other one is told, wherever its checkpoint was.
 *
 * Invariants of every interleaving:
 * - What was acknowledged to the first before the second opened is what the second continues from; what was acknowledged later was
 *   seen by the second, or the acknowledgement is wrong.
 * - The next checkpoint of the first is FENCED, and nobody can see that it was tried.
 */

import fc from "fast-check";
import { operationChoices } from "../commands/command.js";
import { Coverage } from "../commands/coverage.js";
import { openRunning } from "../commands/open-running.js";
import { openJudged, latestSource, reopenAs } from "../commands/reopen-commands.js";
import { runOperation } from "../commands/state-commands.js";
import { takeCheckpoint } from "../commands/checkpoint-commands.js";
import { HOMES, World } from "../commands/world.js";
import { Gate, type Rule } from "../faults/scripted-storage.js";
import { seededRandom } from "../faults/seeded-random.js";
import { type Harness, memoryPlace } from "../harness.js";
import { CATALOG } from "../model/catalog.js";
import { JobModel, type Shape, type Snapshot } from "../model/job-model.js";
import { expectCode, expectThat, outcomeText, settled } from "../oracles/expectations.js";
import { hasCode } from "@tidemark/core";

/** Where a process is held up: before or after its nth call of the storage. */
export interface HoldPoint {
  readonly call: number;
  readonly when: Rule["when"];
}

export interface Interleaving {
  /** Where the checkpoint of the first is held up until the second has opened. */
  readonly first: HoldPoint;
  /** Where the opening of the second is held up until the checkpoint of the first has ended. */
  readonly second?: HoldPoint;
}

const SHAPE: Shape = {
  declared: [CATALOG.filter(({ kind }) => kind === "value" || kind === "list"), CATALOG.slice(0, 1)],
  parallelism: [1, 1],
  retain: 2,
  compression: "none",
};

/** Runs one interleaving. Resolves to whether each was held up at all: beyond the last call there is nothing to see. */
export async function interleave(
  harness: Harness,
  { first, second }: Interleaving,
): Promise<{ readonly firstWasHeld: boolean; readonly secondWasHeld: boolean }> {
  const a = await firstOwner(harness);
  const heldA = holdAt(a.real, first);
  const cut = a.model.snapshot(-1);
  const work = settled(a.real.running.control.checkpoint());
  const firstWasHeld = await heldA.isReached(work);

  const b = secondOwner(a);
  const heldB = second === undefined ? undefined : holdAt(b.real, second);
  const opening = settled(b.real.open(b.model, SHAPE, "latest"));
  const secondWasHeld = (await heldB?.isReached(opening)) ?? false;
  if (secondWasHeld) {
    heldA.open();
    await work;
    heldB?.open();
    await opening;
  } else {
    await opening;
    heldA.open();
  }
  a.real.storage.heal();
  b.real.storage.heal();
  const [checkpoint, opened] = [await work, await opening];
  expectThat(!("error" in opened), `The second owner could not open: ${outcomeText(opened)}`);
  await judge({ a, b }, { checkpoint, cut });
  return { firstWasHeld, secondWasHeld };
}

/**
 * Two processes open one job at once, the first held up at `hold` until the second is there. At most one of them may believe in
 * its next checkpoint, and it is the owner that comes next. Resolves to whether the first was held up at all.
 */
export async function raceToOwn(harness: Harness, hold: HoldPoint): Promise<boolean> {
  const place = harness.place();
  const shared = { ...harness, place: () => place };
  const [a, b] = [0, 500].map((seed) => newOwner(shared, seed)) as [Owner, Owner];
  const held = holdAt(a.real, hold);
  const opening = settled(a.real.open(a.model, SHAPE, "latest"));
  const wasHeld = await held.isReached(opening);
  await b.real.open(b.model, SHAPE, "latest");
  held.open();
  const opened = await opening;
  a.real.storage.heal();
  const results = [];
  if (!("error" in opened)) results.push(await settled(a.real.running.control.checkpoint()));
  results.push(await settled(b.real.running.control.checkpoint()));
  const believers = results.filter((result) => !("error" in result));
  expectThat(believers.length === 1, `${believers.length} of two owners believe in their checkpoints`);
  return wasHeld;
}

function newOwner(harness: Harness, seed: number): Owner {
  const model = new JobModel(HOMES);
  const real = new World(harness, new Coverage(), seed);
  real.newStorage(model);
  return { model, real };
}

interface Owner {
  readonly model: JobModel;
  readonly real: World;
}

async function firstOwner(harness: Harness): Promise<Owner> {
  const place = harness.place();
  const owner = await World.start({ ...harness, place: () => place }, new Coverage());
  const { model, real } = owner;
  await reopenAs(SHAPE, model, real);
  const choices = fc.sample(operationChoices, { seed: 5, numRuns: 30 });
  for (const choice of choices.slice(0, 15)) await runOperation(choice, model, real);
  await takeCheckpoint(model, real);
  await takeCheckpoint(model, real);
  for (const choice of choices.slice(15)) await runOperation(choice, model, real);
  return owner;
}

/** Another process on the same place, that knows what the first one was told. */
function secondOwner({ model, real }: Owner): Owner {
  const other = newOwner(real.harness, 500);
  other.model.home.retained = [...model.home.retained];
  return other;
}

function holdAt(real: World, { call, when }: HoldPoint) {
  const gate = new Gate();
  real.storage.addRule({ when, skip: call, effect: { kind: "gate", gate } });
  return {
    open: () => gate.open(),
    isReached: (work: Promise<unknown>) => Promise.race([gate.reached.then(() => true), work.then(() => false)]),
  };
}

interface Outcome {
  readonly checkpoint: Awaited<ReturnType<typeof settled<{ readonly id: number }>>>;
  readonly cut: Snapshot;
}

async function judge({ a, b }: { readonly a: Owner; readonly b: Owner }, outcome: Outcome): Promise<void> {
  const { checkpoint, cut } = outcome;
  const { restoredFrom } = b.real.running.control;
  if ("error" in checkpoint) {
    const isTold = hasCode(checkpoint.error, "FENCED") || hasCode(checkpoint.error, "UNAVAILABLE");
    expectThat(isTold, `The first owner: ${outcomeText(checkpoint)}`);
    b.model.home.maybe.push({ ...cut, id: a.model.home.retained.at(-1)?.id ?? 0 });
  } else {
    const { id } = checkpoint.value;
    expectThat(restoredFrom === id, `Checkpoint ${id} was acknowledged, and the next owner has ${restoredFrom}`);
  }
  const known = b.model.home.retained.find(({ id }) => id === restoredFrom);
  b.model.restore(known ?? { ...cut, id: restoredFrom ?? 0 }, SHAPE);
  await b.real.expectSame(b.model, "after taking over");
  const fenced = ["FENCED", "POISONED"] as const;
  await expectCode(() => a.real.running.control.checkpoint(), fenced, "The next checkpoint of the first owner");
  await expectRetainedRestores(b);
  await expectNothingChanged(b);
}

/** What the second says is retained restores, also if the first was just removing things. */
async function expectRetainedRestores({ model, real }: Owner): Promise<void> {
  for (const id of real.running.control.retained) {
    const restore = { from: real.placeOf(0).open(), job: model.home.job, checkpoint: id };
    const storage = memoryPlace().open();
    const common = { backend: real.harness.backend(), clock: real.clock, random: seededRandom(9), shape: SHAPE };
    const reader = await settled(openRunning({ ...common, storage, job: "reader", restore }));
    expectThat(!("error" in reader), `Checkpoint ${id} is said to be retained: ${outcomeText(reader)}`);
  }
}

/** The second goes on as if nobody else had ever been there. */
async function expectNothingChanged({ model, real }: Owner): Promise<void> {
  const info = await real.running.control.checkpoint();
  const newest = model.snapshot(info.id);
  expectThat(real.running.control.retained.at(-1) === info.id, "The checkpoint of the second owner is retained");
  await real.running.control.close();
  real.newStorage(model);
  model.home.retained = [];
  model.home.maybe = real.running.control.retained.map((id) => ({ ...newest, id }));
  await openJudged(latestSource(), SHAPE, { model, real });
  expectThat(model.base?.id === info.id, "The next owner continues from the last checkpoint");
}
