/**
 * Differential: one history on two backends leaves the same savepoints. What a backend reads back of its own may look right and be
 * wrong for all others; here another one judges.
 */

import type { CheckpointStorage } from "@tidemark/core";
import fc from "fast-check";
import { type Program, programs } from "../commands/all-commands.js";
import { Coverage } from "../commands/coverage.js";
import { World } from "../commands/world.js";
import { type Harness, memoryPlace, type Place } from "../harness.js";
import type { JobModel } from "../model/job-model.js";
import { expectThat } from "../oracles/expectations.js";
import { firstDifference } from "../oracles/first-difference.js";
import { listNames, parseManifest, readObject } from "../oracles/stored-objects.js";
import { memoryBackend } from "../reference/memory-harness.js";
import { canonicalSavepoint } from "./canonical-savepoint.js";

/** What a history has left. */
interface Left {
  /** The checkpoints that jobs were restored from, and the ids of savepoints. */
  readonly course: string;
  readonly savepoints: readonly CheckpointStorage[];
}

/** What others are compared with: state and checkpoints in memory. */
export const REFERENCE: Harness = { name: "memory", backend: memoryBackend, place: memoryPlace };

export interface Comparison {
  /** @defaultValue state and checkpoints in memory */
  readonly reference?: Harness;
  /** Calls of states in place of one. @defaultValue 1 */
  readonly maxCalls?: number;
}

/** Each savepoint of a history, and one at its end, is the same as that of `reference` after the same history. */
export function sameSavepoints(
  harness: Harness,
  coverage: Coverage,
  maxCommands: number,
  { reference = REFERENCE, maxCalls = 1 }: Comparison = {},
): fc.IAsyncProperty<[Program]> {
  return fc.asyncProperty(programs(maxCommands, maxCalls), async (program) => {
    const expected = await historyOf(program, reference, new Coverage());
    const found = await historyOf(program, harness, coverage);
    // A failure that was planned for a call strikes only who makes that call: then the histories part, each as it should.
    if (found.course !== expected.course) {
      coverage.count("histories part");
      return;
    }
    for (const [index, savepoint] of found.savepoints.entries()) {
      coverage.count("savepoints compared");
      await expectSame(savepoint, expected.savepoints[index] as CheckpointStorage, `Savepoint ${index}`);
    }
    // Where the whole state is in memory, nothing but the storage differs.
    if (harness.backend().store !== undefined) return;
    for (const [index, savepoint] of found.savepoints.entries()) {
      await expectSameBytes(savepoint, expected.savepoints[index] as CheckpointStorage, `Savepoint ${index}`);
    }
  });
}

async function historyOf(program: Program, harness: Harness, coverage: Coverage): Promise<Left> {
  const { commands, ...settings } = program;
  const { model, real } = await World.start(harness, coverage, settings);
  await fc.asyncModelRun(() => ({ model, real }), commands as Iterable<fc.AsyncCommand<JobModel, World>>);
  const places: Place[] = [...real.savepoints];
  const ids = model.savepoints.map(({ id }) => id);
  if (model.health === "running") {
    const place = harness.place();
    const { id } = await real.running.control.savepoint(place.open());
    places.push(place);
    ids.push(id);
  }
  return { course: JSON.stringify([real.restoredFrom, ids]), savepoints: places.map((place) => place.open()) };
}

async function expectSame(found: CheckpointStorage, expected: CheckpointStorage, what: string): Promise<void> {
  const difference = firstDifference(await canonicalSavepoint(found), await canonicalSavepoint(expected));
  expectThat(difference === undefined, `${what} differs from that of memory: ${difference}`);
}

async function expectSameBytes(found: CheckpointStorage, expected: CheckpointStorage, what: string): Promise<void> {
  const difference = firstDifference(await objectsOf(found), await objectsOf(expected));
  expectThat(difference === undefined, `The objects of ${what} differ from those of memory: ${difference}`);
}

/** Every object; of the manifest all but how long it took. */
async function objectsOf(storage: CheckpointStorage): Promise<readonly string[]> {
  const objects: string[] = [];
  for (const name of await listNames(storage, "")) {
    const bytes = await readObject(storage, name);
    const text =
      name === "savepoint" ? JSON.stringify({ ...parseManifest(bytes), durationMs: 0 }) : bytes.toString("hex");
    objects.push(`${name} ${text}`);
  }
  return objects;
}
