/**
 * Random histories of a job with concurrent checkpoints: uploads end in any order, fail, or run out of time; publishing fails; the
 * process is abandoned and the job opened again. Whatever was published must be what the model was at its barrier.
 */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, onTestFinished, test } from "vitest";
import {
  type Backend,
  type CheckpointStorage,
  defineOperator,
  KeyGroups,
  list,
  map,
  memoryStorage,
  memoryStore,
  openJob,
  openTask,
  StateBackendError,
  type StoreProvider,
  string,
  value,
} from "../src/index.js";
import { atRest } from "./support/gate.js";
import { type HeldSegment, holdSegments } from "./support/held-segments.js";
import { HookedStorage } from "./support/hooked-storage.js";
import { ManualClock } from "./support/manual-clock.js";
import { type SeededRandom, seededRandom } from "./support/seeded-random.js";

const OPERATOR = defineOperator("histories", {
  key: string(),
  states: { count: value<number>(), fields: map<string, number>({ field: string() }), log: list<number>() },
  maxParallelism: 4,
});
const KEYS = ["a", "b", "c"];
const FIELDS = ["x", "y"];
const STEPS = 150;

interface Cell {
  count: number | undefined;
  fields: Record<string, number>;
  log: number[];
}

type Model = Record<string, Cell>;

const emptyModel = (): Model => Object.fromEntries(KEYS.map((key) => [key, { count: undefined, fields: {}, log: [] }]));

const openTasks = (backend: Backend<false>, clock: ManualClock, concurrentMax: number) =>
  openJob({
    job: "job",
    backend,
    clock,
    concurrentMax,
    retain: 1000,
    graceMs: 0,
    timeoutMs: 1000,
    toleratedFailures: 1000,
    tasks: [
      { operator: OPERATOR, keyGroups: KeyGroups.of([{ first: 0, last: 0 }]) },
      { operator: OPERATOR, keyGroups: KeyGroups.of([{ first: 1, last: 3 }]) },
    ] as const,
  });

type Opened = Awaited<ReturnType<typeof openTasks>>;
type Handles = Opened["tasks"][0];

async function contentAt(from: CheckpointStorage, checkpoint: number): Promise<Model> {
  const backend = { name: "memory", sync: true, checkpoints: memoryStorage() } as const;
  const task = await openTask(OPERATOR, { job: "reader", backend, restore: { from, job: "job", checkpoint } });
  const cells = KEYS.map((key) => [
    key,
    {
      count: task.count.getSync(key),
      fields: Object.fromEntries(task.fields.entriesSync(key)),
      log: task.log.getSync(key),
    },
  ]);
  return JSON.parse(JSON.stringify(Object.fromEntries(cells))) as Model;
}

const plain = (model: Model): Model => JSON.parse(JSON.stringify(model)) as Model;

class HistoryRun {
  readonly #random: SeededRandom;
  readonly #inner = memoryStorage();
  /** Every other run has its state in a store, which outlives the process. */
  readonly #store: StoreProvider | undefined;
  readonly #barriers = new Map<number, Model>();
  #storage!: HookedStorage;
  #clock = new ManualClock();
  #job!: Opened;
  readonly #owners = new Map<string, Handles>();
  #held: readonly HeldSegment[] = [];
  #model = emptyModel();
  #outcomes: Promise<unknown>[] = [];
  #isPublishFailing = false;
  readonly #concurrentMax: number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#concurrentMax = 1 + (seed % 4);
    this.#store = seed % 8 < 4 ? undefined : memoryStore({ cacheBytes: 0 });
    const onStart = (message: unknown): void => {
      const { id, kind } = message as { id: number; kind: string };
      if (kind !== "savepoint") this.#barriers.set(id, plain(this.#model));
    };
    subscribe("tidemark:checkpoint:start", onStart);
    onTestFinished(() => {
      unsubscribe("tidemark:checkpoint:start", onStart);
    });
  }

  async run(): Promise<void> {
    await this.#open();
    for (let step = 0; step < STEPS; step++) await this.#step();
    await this.#letAllEnd();
    await this.#checkPublished();
    await this.#checkLive();
    await this.#job.close();
  }

  async #open(): Promise<void> {
    this.#storage = new HookedStorage(this.#inner);
    this.#clock = new ManualClock();
    const backend: Backend<false> = {
      name: "histories",
      sync: false,
      checkpoints: this.#storage,
      ...(this.#store === undefined ? {} : { store: this.#store }),
    };
    this.#job = await openTasks(backend, this.#clock, this.#concurrentMax);
    for (const task of this.#job.tasks) {
      for (const key of KEYS) {
        const isOwned = await task.count.get(key).then(
          () => true,
          () => false,
        );
        if (isOwned) this.#owners.set(key, task);
      }
    }
    const { restoredFrom } = this.#job;
    this.#model = plain(restoredFrom === undefined ? emptyModel() : (this.#barriers.get(restoredFrom) as Model));
    this.#held = holdSegments(this.#storage);
    const { beforePut } = this.#storage;
    this.#storage.beforePut = async (name) => {
      if (this.#isPublishFailing && name.includes("/checkpoint/")) {
        this.#isPublishFailing = false;
        throw new StateBackendError("UNAVAILABLE", "No.");
      }
      await beforePut(name);
    };
    this.#outcomes = [];
  }

  async #step(): Promise<void> {
    const draw = this.#random.below(100);
    if (draw < 45) this.#write();
    else if (draw < 65) this.#outcomes.push(this.#job.checkpoint().catch(() => undefined));
    else if (draw < 67) this.#outcomes.push(this.#job.checkpoint({ full: true }).catch(() => undefined));
    else if (draw < 69) this.#outcomes.push(this.#job.savepoint(memoryStorage()).catch(() => undefined));
    else if (draw < 84) this.#someHeld()?.release();
    else if (draw < 90) this.#someHeld()?.fail();
    else if (draw < 93) this.#clock.advance(400);
    else if (draw < 95) this.#isPublishFailing = true;
    // The process stops where it is, and another one opens the job.
    else if (draw < 96) await this.#open();
    if (this.#random.below(2) === 0) await atRest();
  }

  #write(): void {
    const key = this.#pick(KEYS);
    const field = this.#pick(FIELDS);
    const number = this.#random.below(1000);
    const cell = this.#model[key] as Cell;
    const task = this.#ownerOf(key);
    const changes: (() => void)[] = [
      () => {
        task.count.set(key, number);
        cell.count = number;
      },
      () => {
        task.count.delete(key);
        cell.count = undefined;
      },
      () => {
        task.fields.set(key, field, number);
        cell.fields[field] = number;
      },
      () => {
        task.fields.delete(key, field);
        cell.fields = Object.fromEntries(Object.entries(cell.fields).filter(([name]) => name !== field));
      },
      () => {
        task.fields.clear(key);
        cell.fields = {};
      },
      () => {
        task.log.add(key, number);
        cell.log.push(number);
      },
      () => {
        task.log.set(key, []);
        cell.log = [];
      },
    ];
    this.#pick(changes)();
  }

  #ownerOf(key: string): Handles {
    return this.#owners.get(key) as Handles;
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#random.below(choices.length)] as T;
  }

  #someHeld(): HeldSegment | undefined {
    return this.#held.length === 0 ? undefined : this.#pick(this.#held.slice(-6));
  }

  async #letAllEnd(): Promise<void> {
    let hasEnded = false;
    void Promise.all(this.#outcomes).then(() => {
      hasEnded = true;
    });
    for (let round = 0; round < 1000 && !hasEnded; round++) {
      for (const segment of this.#held) segment.release();
      await atRest();
    }
    expect(hasEnded).toBe(true);
  }

  /** Of a store all that is in no memory any more too. */
  async #checkLive(): Promise<void> {
    for (const key of KEYS) {
      const { count, fields, log } = this.#ownerOf(key);
      const found: [string, number][] = [];
      for await (const field of fields.entries(key)) found.push([...field]);
      const cell = { count: await count.get(key), fields: Object.fromEntries(found), log: [...(await log.get(key))] };
      expect(cell).toEqual(this.#model[key]);
    }
  }

  async #checkPublished(): Promise<void> {
    for (const id of this.#job.retained) {
      expect(await contentAt(this.#inner, id), `checkpoint ${id}`).toEqual(this.#barriers.get(id));
    }
    const ids = this.#job.checkpoints.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(this.#job.garbageError).toBeUndefined();
  }
}

test.each(Array.from({ length: 40 }, (_, seed) => seed))("T82 T83 any history restores, seed %i", async (seed) => {
  await new HistoryRun(seed).run();
});
