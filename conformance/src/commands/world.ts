/** The real side of a run: places, the running job, and those that were left behind. */

import type { Restore } from "@tidemark/core";
import { ManualClock } from "../faults/manual-clock.js";
import { ScriptedStorage } from "../faults/scripted-storage.js";
import { seededRandom } from "../faults/seeded-random.js";
import type { Harness, Place } from "../harness.js";
import { FIRST_SHAPE, JobModel, type ProgramSettings, type Shape } from "../model/job-model.js";
import { expectedState, observeJob, stateDifference } from "../oracles/observe.js";
import type { RunningJob } from "./call-state.js";
import type { Coverage } from "./coverage.js";
import { openRunning } from "./open-running.js";
import { type FiredTimers, handleTimers } from "./timer-handling.js";

/** A job that another one has taken the place of. */
export interface Zombie {
  readonly running: RunningJob;
  /** Whether it was closed before; otherwise it was only left behind. */
  readonly isClosed: boolean;
}

/** Jobs of a run, by place and name: two share a place, and no name is a plain one everywhere. */
export const HOMES = [
  { place: 0, job: "flights" },
  { place: 0, job: "a/../b*%" },
  { place: 1, job: "__proto__" },
] as const;

export class World {
  readonly harness: Harness;
  readonly coverage: Coverage;
  readonly clock = new ManualClock();
  readonly places: readonly Place[];
  readonly savepoints: Place[] = [];
  readonly zombies: Zombie[] = [];
  /** What each opening of a job continued from, in order. */
  readonly restoredFrom: (number | undefined)[] = [];
  /** Whether uploads are left that have not ended: what they leave is not garbage yet. */
  hasLateUploads = false;
  storage!: ScriptedStorage;
  running!: RunningJob;
  /** The timers that fired in each task of each operator since the job was opened, in order. */
  fired: FiredTimers = [];
  /** Seed of the randomness of the last opening. */
  #seed: number;

  constructor(harness: Harness, coverage: Coverage, seed = 0) {
    this.#seed = seed;
    this.harness = harness;
    harness.begin?.();
    this.coverage = coverage;
    this.places = [harness.place(), harness.place()];
  }

  /** A world whose job runs, empty, and its model. */
  static async start(
    harness: Harness,
    coverage: Coverage,
    settings: Partial<ProgramSettings> = {},
  ): Promise<{ model: JobModel; real: World }> {
    const model = Object.assign(new JobModel(HOMES), settings);
    model.shape = { ...FIRST_SHAPE, declared: [model.catalog, model.catalog] };
    const real = new World(harness, coverage);
    real.newStorage(model);
    await real.open(model, model.shape, "latest");
    return { model, real };
  }

  /** A handle on the current place, as a new process would get it. */
  newStorage(model: JobModel): void {
    this.storage = new ScriptedStorage(this.placeOf(model.current).open());
    this.hasLateUploads = false;
  }

  placeOf(home: number): Place {
    return this.places[HOMES[home]?.place ?? 0] as Place;
  }

  /** Opens the job of the current home on the current storage. */
  async open(model: JobModel, shape: Shape, restore: Restore): Promise<void> {
    const running = await openRunning({
      backend: this.harness.backend(),
      storage: this.storage,
      job: model.home.job,
      shape,
      restore,
      clock: this.clock,
      random: seededRandom(++this.#seed),
      codecOf: this.harness.codecOf,
      declaredAs: this.harness.declaredAs,
    });
    this.running = this.harness.wrap?.(running) ?? running;
    this.restoredFrom.push(running.control.restoredFrom);
    this.fired = handleTimers(this.running, shape.declared);
  }

  /** Throws unless the running job holds exactly what the model says. */
  async expectSame(model: JobModel, when: string): Promise<void> {
    const { declared } = model.shape;
    const found = stateDifference(await observeJob(this.running, declared), expectedState(model.contents, declared));
    if (found !== undefined) throw new Error(`The state is wrong ${when}: ${found}`);
    model.readAll();
  }
}
