/**
 * (j) Stored objects are damaged, lost or mixed up: a restore says so, or gives a checkpoint that is explicitly an older one,
 * whole. Never a wrong value, and never an empty state where there was one.
 */

import {
  type CheckpointStorage,
  type ErrorCode,
  isStateBackendError,
  memoryStorage,
  type Restore,
} from "@tidemark/core";
import { takeCheckpoint } from "../commands/checkpoint-commands.js";
import { operationChoices } from "../commands/command.js";
import { Coverage } from "../commands/coverage.js";
import { openRunning } from "../commands/open-running.js";
import { reopenAs } from "../commands/reopen-commands.js";
import { runOperation } from "../commands/state-commands.js";
import { World } from "../commands/world.js";
import { ManualClock } from "../faults/manual-clock.js";
import { seededRandom } from "../faults/seeded-random.js";
import type { Harness } from "../harness.js";
import { FIRST_SHAPE, JobModel, type Snapshot } from "../model/job-model.js";
import { outcomeText, settled } from "../oracles/expectations.js";
import { expectedState, observeJob, stateDifference } from "../oracles/observe.js";
import { listNames, readObject } from "../oracles/stored-objects.js";
import fc from "fast-check";

/** All objects of a place. */
export type Objects = ReadonlyMap<string, Buffer>;

/** A place with checkpoints, before anything happens to it. */
export interface Intact {
  readonly objects: Objects;
  readonly job: string;
  /** What each restore gives, while nothing is damaged. */
  readonly restores: readonly { readonly restore: Restore; readonly snapshots: readonly Snapshot[] }[];
}

/** One thing that can happen to stored objects. */
export interface Damage {
  readonly what: string;
  apply(objects: Map<string, Buffer>): void;
}

const ALLOWED: readonly ErrorCode[] = ["CHECKPOINT_CORRUPT", "FORMAT_UNSUPPORTED", "CHECKPOINT_NOT_FOUND"];

/** A job that was opened `openings` times and took two checkpoints each time, of which it retains `retain`. */
export async function intactPlace(
  harness: Harness,
  { openings, retain }: { readonly openings: number; readonly retain: number },
): Promise<Intact> {
  const { model, real } = await World.start(harness, new Coverage());
  const choices = fc.sample(operationChoices, { seed: openings, numRuns: 60 * openings });
  model.shape = { ...FIRST_SHAPE, retain };
  for (let opening = 0; opening < openings; opening++) {
    await reopenAs(model.shape, model, real);
    for (const [index, choice] of choices.slice(60 * opening, 60 * (opening + 1)).entries()) {
      await runOperation(choice, model, real);
      if (index % 30 === 29) await takeCheckpoint(model, real);
    }
  }
  await real.running.control.close();
  const { job, retained } = model.home;
  const newestFirst = [...retained].reverse();
  return {
    job,
    objects: await readObjects(real.placeOf(0).open()),
    restores: [
      { restore: "latest", snapshots: newestFirst },
      ...retained.map((snapshot) => ({ restore: snapshot.id, snapshots: [snapshot] })),
    ],
  };
}

export async function readObjects(storage: CheckpointStorage): Promise<Objects> {
  const objects = new Map<string, Buffer>();
  for (const name of await listNames(storage, "")) objects.set(name, await readObject(storage, name));
  return objects;
}

export async function placeOf(objects: Objects): Promise<CheckpointStorage> {
  const storage = memoryStorage();
  for (const [name, body] of objects) await storage.put(name, body);
  return storage;
}

/** Every kind of damage: about `flips` flipped bits in each object, cuts, an added byte, a loss, and each pair swapped. */
export function damages(objects: Objects, flips: number): Damage[] {
  const names = [...objects.keys()];
  const single = names.flatMap((name) => damagesOf(name, objects.get(name) as Buffer, flips));
  const swaps = names.flatMap((name, index) => names.slice(index + 1).map((other) => swapped(name, other)));
  return [...single, ...swaps];
}

function damagesOf(name: string, body: Buffer, flips: number): Damage[] {
  const stride = Math.max(1, Math.floor(body.length / flips));
  const places = Array.from({ length: Math.ceil(body.length / stride) }, (_, index) => index * stride);
  const changed = (what: string, change: (bytes: Buffer) => Buffer): Damage => ({
    what: `${what} of ${name}`,
    apply: (objects) => objects.set(name, change(Buffer.from(body))),
  });
  return [
    ...[...places, body.length - 1].map((at) => changed(`bit ${at % 8} of byte ${at}`, (bytes) => flipped(bytes, at))),
    ...[0, body.length >>> 1, body.length - 1].map((length) =>
      changed(`all but ${length} bytes`, (bytes) => bytes.subarray(0, length)),
    ),
    changed("a byte behind the end", (bytes) => Buffer.concat([bytes, Buffer.from([0])])),
    { what: `the loss of ${name}`, apply: (objects) => objects.delete(name) },
  ];
}

function flipped(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
  return bytes;
}

function swapped(one: string, other: string): Damage {
  return {
    what: `${one} swapped with ${other}`,
    apply(objects) {
      const [first, second] = [objects.get(one) as Buffer, objects.get(other) as Buffer];
      objects.set(one, second).set(other, first);
    },
  };
}

/** What is wrong with how each restore answers to a damage. */
export async function violations(harness: Harness, intact: Intact, damage: Damage): Promise<string[]> {
  const found: string[] = [];
  for (const { restore, snapshots } of intact.restores) {
    const objects = new Map(intact.objects);
    damage.apply(objects);
    const violation = await judge(harness, { ...intact, objects }, { restore, snapshots });
    if (violation !== undefined) found.push(`${damage.what}, restore ${JSON.stringify(restore)}: ${violation}`);
  }
  return found;
}

async function judge(
  harness: Harness,
  { objects, job }: Intact,
  { restore, snapshots }: Intact["restores"][number],
): Promise<string | undefined> {
  const shape = FIRST_SHAPE;
  const storage = await placeOf(objects);
  const common = { backend: harness.backend(), clock: new ManualClock(), random: seededRandom(77) };
  const result = await settled(openRunning({ ...common, storage, job, shape, restore }));
  if ("error" in result) {
    const { error } = result;
    return isStateBackendError(error) && ALLOWED.includes(error.code) ? undefined : outcomeText(result);
  }
  const { restoredFrom } = result.value.control;
  const snapshot = snapshots.find(({ id }) => id === restoredFrom);
  if (snapshot === undefined) return `restored ${restoredFrom}`;
  const model = new JobModel([{ place: 0, job }]);
  model.restore(snapshot, shape);
  return stateDifference(await observeJob(result.value, shape.declared), expectedState(model.contents, shape.declared));
}
