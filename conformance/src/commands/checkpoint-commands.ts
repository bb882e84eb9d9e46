/** Checkpoints and savepoints: with failures of the storage, writes behind the barrier, time that runs out. */

import { type CheckpointInfo, hasCode, isStateBackendError } from "@tidemark/core";
import fc from "fast-check";
import { Gate, type ObjectKind, type Rule, ScriptedStorage, type StorageCall } from "../faults/scripted-storage.js";
import type { JobModel, Snapshot } from "../model/job-model.js";
import type { OperationChoice } from "../model/operation.js";
import { expectCode, expectEqual, expectThat, outcomeText, type Settled, settled } from "../oracles/expectations.js";
import { inexactness } from "../oracles/stored-objects.js";
import { type Command, command, operationChoices } from "./command.js";
import { TIMEOUT_MS } from "./open-running.js";
import { runOperation } from "./state-commands.js";
import { advanceClock } from "./time-commands.js";
import type { World } from "./world.js";

/** A failure of the storage during a checkpoint. */
export interface StorageFault {
  readonly call: StorageCall;
  readonly kind: ObjectKind;
  readonly when: "before" | "after";
  readonly outcome: "not-applied" | "unknown";
  readonly times: number;
}

const PLACES: readonly Pick<StorageFault, "call" | "kind">[] = [
  { call: "put", kind: "segment" },
  { call: "put", kind: "manifest" },
  { call: "put", kind: "manifest" },
  { call: "get", kind: "segment" },
  { call: "get", kind: "manifest" },
  { call: "list", kind: "manifest" },
  { call: "list", kind: "segment" },
  { call: "list", kind: "owner" },
  { call: "remove", kind: "manifest" },
  { call: "remove", kind: "segment" },
];

export const storageFaults: fc.Arbitrary<StorageFault> = fc
  .record({
    place: fc.constantFrom(...PLACES),
    when: fc.constantFrom("before" as const, "after" as const),
    saysUnknown: fc.boolean(),
    times: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ place, when, saysUnknown, times }) => {
    // Only a call without an effect may say that it had none.
    const hadEffect = when === "after" && (place.call === "put" || place.call === "remove");
    return { ...place, when, times, outcome: saysUnknown || hadEffect ? "unknown" : "not-applied" };
  });

export function ruleOf({ call, kind, when, outcome, times }: StorageFault): Rule {
  return { call, kind, when, times, effect: { kind: "error", outcome } };
}

/** Takes a checkpoint without disturbance, and checks what follows from it. */
export async function takeCheckpoint(model: JobModel, real: World, full = false): Promise<void> {
  const cut = model.snapshot(-1);
  const info = await real.running.control.checkpoint({ full });
  await completed(info, { ...cut, id: info.id }, { model, real });
}

/** A checkpoint that a failure may strike. */
export const checkpoints: fc.Arbitrary<Command> = fc
  .tuple(fc.boolean(), fc.option(storageFaults, { freq: 2 }))
  .map(([full, fault]) => {
    const text = `${full ? "full " : ""}checkpoint${fault === null ? "" : ` with ${JSON.stringify(fault)}`}`;
    return command(text, async (model, real) => {
      const struckBefore = real.storage.struck;
      if (fault !== null) real.storage.addRule(ruleOf(fault));
      const snapshot = model.snapshot(-1);
      const result = await settled(real.running.control.checkpoint({ full }));
      real.storage.heal();
      const struck = real.storage.struck - struckBefore;
      real.coverage.count(`checkpoint${struck > 0 && fault !== null ? ` ${fault.call} ${fault.kind} fails` : ""}`);
      await judgeCheckpoint(result, snapshot, { model, real, fault: struck > 0 ? fault : null });
    });
  });

/** A checkpoint that nothing disturbs. */
export const quietCheckpoints: fc.Arbitrary<Command> = fc.boolean().map((full) =>
  command(full ? "full checkpoint" : "checkpoint", async (model, real) => {
    if (model.health === "running") await takeCheckpoint(model, real, full);
  }),
);

interface Judgement {
  readonly model: JobModel;
  readonly real: World;
  readonly fault: StorageFault | null;
}

async function judgeCheckpoint(result: Settled<CheckpointInfo>, cut: Snapshot, judgement: Judgement): Promise<void> {
  const { model, real, fault } = judgement;
  if (model.health === "poisoned") {
    expectThat(hasCode(result.error, "POISONED"), `A checkpoint of a poisoned task: ${outcomeText(result)}`);
    return;
  }
  if (!("error" in result)) {
    await completed(result.value, { ...cut, id: result.value.id }, judgement);
    return;
  }
  expectThat(fault !== null, `A checkpoint failed without a fault: ${outcomeText(result)}`);
  expectThat(hasCode(result.error, "UNAVAILABLE"), `A failed checkpoint: ${outcomeText(result)}`);
  const id = real.running.control.checkpoints.at(-1)?.id ?? 0;
  const isUnknown = isStateBackendError(result.error) && result.error.outcome !== "not-applied";
  const isListing = fault.call === "list";
  if (isPublication(fault) && (isUnknown || isListing)) model.home.maybe.push({ ...cut, id });
  if (isPublication(fault) && isUnknown) model.health = "poisoned";
}

/** Whether the manifest may have been stored although the checkpoint failed. */
function isPublication({ call, kind }: StorageFault): boolean {
  return (call === "put" && kind === "manifest") || (call === "list" && kind === "owner");
}

async function completed(
  info: CheckpointInfo,
  snapshot: Snapshot,
  { model, real }: Pick<Judgement, "model" | "real">,
): Promise<void> {
  expectEqual(info.status, "completed", "Status of a checkpoint");
  const newest = model.home.retained.at(-1)?.id ?? 0;
  expectThat(info.id > newest, `Checkpoint ids must rise: ${info.id} after ${newest}`);
  model.publish(snapshot);
  const retained = model.home.retained.map(({ id }) => id);
  expectEqual(real.running.control.retained, retained, "Retained after a checkpoint");
  if (real.running.control.garbageError !== undefined || real.hasLateUploads) return;
  // What was subsumed, or published and not acknowledged, is collected with everything else.
  model.home.maybe = [];
  real.coverage.count("storage exact");
  const found = await inexactness(real.placeOf(model.current).open(), model.home.job, retained);
  expectThat(found === undefined, `After collection: ${found}`);
}

/** Where an upload is held up while other things go on. */
const HOLDS = [
  { call: "put", kind: "segment", when: "before" },
  { call: "put", kind: "segment", when: "after" },
  { call: "put", kind: "manifest", when: "before" },
  { call: "put", kind: "manifest", when: "after" },
] as const;

export interface HeldCheckpoint {
  readonly full: boolean;
  readonly hold: (typeof HOLDS)[number];
  readonly during: readonly OperationChoice[];
}

export const heldCheckpointChoices: fc.Arbitrary<HeldCheckpoint> = fc.record({
  full: fc.boolean(),
  hold: fc.constantFrom(...HOLDS),
  during: fc.array(operationChoices, { maxLength: 6 }),
});

/** Begins a checkpoint, and runs operations behind its barrier. */
export async function holdCheckpoint(held: HeldCheckpoint, model: JobModel, real: World) {
  const gate = new Gate();
  real.storage.addRule({ ...held.hold, effect: { kind: "gate", gate } });
  const snapshot = model.snapshot(-1);
  const work = settled(real.running.control.checkpoint({ full: held.full }));
  // Some right behind the barrier, which comes before the call returns; the others while the upload is held up.
  const [atOnce, later] = [held.during.slice(0, 2), held.during.slice(2)];
  for (const choice of atOnce) await runOperation(choice, model, real);
  const isHeld = await Promise.race([gate.reached.then(() => true), work.then(() => false)]);
  for (const choice of later) await runOperation(choice, model, real);
  return { gate, work, snapshot, isHeld };
}

/** Writes between the barrier and the end of the upload are not in the checkpoint. */
export const writesDuringUpload: fc.Arbitrary<Command> = heldCheckpointChoices.map((held) =>
  command(`checkpoint with ${held.during.length} writes at ${JSON.stringify(held.hold)}`, async (model, real) => {
    const { gate, work, snapshot, isHeld } = await holdCheckpoint(held, model, real);
    if (isHeld) real.coverage.count("writes during upload");
    gate.open();
    const result = await work;
    real.storage.heal();
    await judgeCheckpoint(result, snapshot, { model, real, fault: null });
  }),
);

/** An upload that takes too long is aborted; what it does later harms nobody. */
export const timeouts: fc.Arbitrary<Command> = fc
  .tuple(heldCheckpointChoices, fc.boolean(), operationChoices)
  .map(([held, comesLate, after]) =>
    command(`checkpoint that hangs${comesLate ? " and ends late" : ""}`, async (model, real) => {
      const hold = { ...held.hold, kind: "segment" as const };
      const { gate, work, snapshot, isHeld } = await holdCheckpoint({ ...held, hold }, model, real);
      if (isHeld) {
        real.coverage.count("timeout");
        await advanceClock(TIMEOUT_MS, model, real);
        await expectCode(() => work.then((result) => throwIfFailed(result)), ["ABORTED"], "A checkpoint out of time");
        await runOperation(after, model, real);
        if (comesLate) gate.open();
        real.hasLateUploads = true;
      } else {
        await judgeCheckpoint(await work, snapshot, { model, real, fault: null });
      }
      real.storage.heal();
    }),
  );

/** Two checkpoints that are asked for at once: one follows the other. */
export const queuedCheckpoints: fc.Arbitrary<Command> = fc.tuple(fc.boolean(), fc.boolean()).map(([first, second]) =>
  command("two checkpoints at once", async (model, real) => {
    if (model.health === "poisoned") return;
    real.coverage.count("queued checkpoints");
    const cut = model.snapshot(-1);
    const { control } = real.running;
    const infos = await Promise.all([control.checkpoint({ full: first }), control.checkpoint({ full: second })]);
    expectThat(infos[0].id < infos[1].id, "Checkpoints keep the order of their calls");
    model.publish({ ...cut, id: infos[0].id });
    await completed(infos[1], { ...cut, id: infos[1].id, parent: model.base }, { model, real });
  }),
);

export const savepoints: fc.Arbitrary<Command> = fc.option(storageFaults, { freq: 4 }).map((fault) =>
  command(`savepoint${fault === null ? "" : ` with ${JSON.stringify(fault)}`}`, async (model, real) => {
    const place = real.harness.place();
    const target = new ScriptedStorage(place.open());
    const before = real.storage.struck;
    if (fault !== null) {
      real.storage.addRule(ruleOf(fault));
      target.addRule(ruleOf(fault.kind === "manifest" ? { ...fault, kind: "savepoint" } : fault));
    }
    const snapshot = model.snapshot(-1);
    const result = await settled(real.running.control.savepoint(target));
    real.storage.heal();
    if (!("error" in result)) {
      real.coverage.count("savepoint");
      expectThat(model.health === "running", "A savepoint of a poisoned task was taken");
      real.savepoints.push(place);
      model.savepoints.push({ ...snapshot, id: result.value.id });
      return;
    }
    real.coverage.count("savepoint fails");
    const expected = model.health === "poisoned" ? "POISONED" : "UNAVAILABLE";
    const isExpected = model.health === "poisoned" || real.storage.struck + target.struck > before;
    expectThat(isExpected && hasCode(result.error, expected), `A savepoint: ${outcomeText(result)}`);
  }),
);

/** Writes between the barrier and the end of a savepoint are not in it. */
export const writesDuringSavepoint: fc.Arbitrary<Command> = fc
  .array(operationChoices, { minLength: 1, maxLength: 4 })
  .map((during) =>
    command(`savepoint with ${during.length} writes`, async (model, real) => {
      if (model.health === "poisoned") return;
      real.coverage.count("writes during savepoint");
      const place = real.harness.place();
      const snapshot = model.snapshot(-1);
      const work = real.running.control.savepoint(place.open());
      for (const choice of during) await runOperation(choice, model, real);
      const { id } = await work;
      real.savepoints.push(place);
      model.savepoints.push({ ...snapshot, id });
    }),
  );

function throwIfFailed<T>(result: Settled<T>): T {
  if ("error" in result) throw result.error;
  return result.value;
}
