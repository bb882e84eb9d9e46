/**
 * Results take place if and only if their checkpoint counts: whatever fails, whoever takes over, wherever the process dies, and
 * whether or not anybody was told.
 */

import { type CheckpointStorage, defineOperator, hasCode, openTask, string, systemClock, value } from "@tidemark/core";
import fc from "fast-check";
import { InterruptedStorage, type Loss } from "../faults/interrupted-storage.js";
import { ManualClock } from "../faults/manual-clock.js";
import { Gate } from "../faults/scripted-storage.js";
import { seededRandom } from "../faults/seeded-random.js";
import { expectThat, outcomeText, type Settled, settled } from "../oracles/expectations.js";
import { type Asked, ResultsLedger } from "./results-ledger.js";
import { putWithOf, type ResultsPlace } from "./results-with-objects.js";

const OPERATOR = defineOperator("results", { key: string(), states: { count: value<number>({ default: 0 }) } });
const KEY = "k";
/** More than a program has. */
const RETAIN = 100;
/** So long may who takes over need where nobody keeps it from that, milliseconds. */
const HELD_MS = 30;

/** What a program consists of. */
const STEPS = [
  "checkpoint",
  "checkpoint without results",
  "checkpoint whose work fails",
  "two checkpoints at once",
  "another owner takes over",
  "another owner takes over during the work",
] as const;

type Step = (typeof STEPS)[number];

/** One life of the job: it ends with its steps, or by death. */
interface Life {
  readonly steps: readonly Step[];
  readonly losses: readonly (Loss | undefined)[];
  readonly diesAt: number | undefined;
}

const losses = fc.array(
  fc.constantFrom<(Loss | undefined)[]>(undefined, undefined, "before the call", "behind the call"),
  {
    maxLength: 4,
    size: "max",
  },
);

const lives: fc.Arbitrary<Life> = fc.record({
  steps: fc.array(fc.constantFrom(...STEPS), { minLength: 1, maxLength: 4, size: "max" }),
  losses: fc.oneof(fc.constant([]), losses),
  diesAt: fc.option(fc.nat(70), { nil: undefined }),
});

export function resultsOfJobs(newPlace: () => Promise<ResultsPlace>): fc.IAsyncProperty<[Life[]]> {
  return fc.asyncProperty(fc.array(lives, { minLength: 1, maxLength: 3, size: "max" }), async (program) => {
    const run = new Run(await newPlace());
    for (const life of program) await run.live(life);
    // The last owner finds what there is, and goes on.
    await run.live({ steps: ["checkpoint"], losses: [], diesAt: undefined });
    await run.live({ steps: [], losses: [], diesAt: undefined });
  });
}

/** A command for each step, as a person reads it. */
export function linesOfLives(program: readonly Life[]): readonly string[] {
  return program.flatMap(({ steps, losses: lost, diesAt }) => [
    `open the job${diesAt === undefined ? "" : `, which dies at moment ${diesAt}`}`,
    ...lost.flatMap((loss, index) => (loss === undefined ? [] : [`answer ${index + 1} of putWith is lost ${loss}`])),
    ...steps,
  ]);
}

type OpenTask = Awaited<ReturnType<typeof openCounter>>;

/** An owner of the job. */
interface Owner {
  readonly storage: InterruptedStorage;
  readonly task: OpenTask;
}

class Run {
  readonly #place: ResultsPlace;
  readonly #ledger = new ResultsLedger();
  /** No two checkpoints are asked for with the same. */
  #value = 0;
  #seed = 0;

  constructor(place: ResultsPlace) {
    this.#place = place;
  }

  async live(life: Life): Promise<void> {
    let owner = await this.#open(life);
    if (owner === undefined) return;
    for (const step of life.steps) {
      owner = await this.#step(owner, step);
      // Whoever does not know what became of its checkpoint goes on with a restore.
      if (owner.storage.isDead || !isAlive(owner)) break;
    }
    if (!owner.storage.isDead) await owner.task.close();
  }

  /** Opens the job; `undefined` if it died meanwhile. */
  async #open({ losses: lost, diesAt }: Omit<Life, "steps">): Promise<Owner | undefined> {
    const handle = await this.#place.open();
    const onDeath = (): Promise<void> => this.#place.crash(handle);
    const storage = new InterruptedStorage(handle, putWithOf(handle), { diesAt, losses: lost, onDeath });
    const opened = await orDeath(storage, openCounter(storage, ++this.#seed));
    if (opened === undefined) return undefined;
    const owner = { storage, task: opened };
    await this.#judge(owner);
    return owner;
  }

  async #judge({ task }: Owner): Promise<void> {
    const { retained, restoredFrom } = task;
    const results = await this.#place.readResults();
    this.#ledger.settle({ retained, restoredFrom, value: task.count.getSync(KEY), results });
  }

  /** The owner that goes on. */
  async #step(owner: Owner, step: Step): Promise<Owner> {
    switch (step) {
      case "checkpoint":
      case "checkpoint without results":
      case "checkpoint whose work fails":
        await this.#checkpoint(owner, step);
        return owner;
      case "two checkpoints at once":
        await Promise.all([this.#checkpoint(owner, "checkpoint"), this.#checkpoint(owner, "checkpoint")]);
        return owner;
      case "another owner takes over": {
        const next = await this.#open({ losses: [], diesAt: undefined });
        await this.#checkpoint(owner, "checkpoint", "FENCED");
        return next ?? owner;
      }
      default:
        return this.#takeOverDuring(owner);
    }
  }

  /** Who takes over during the work waits for its end, or is there first. */
  async #takeOverDuring(owner: Owner): Promise<Owner> {
    const gate = new Gate();
    const work = this.#checkpoint(owner, "checkpoint", undefined, gate);
    await Promise.race([gate.reached, work]);
    const handle = await this.#place.open();
    const storage = new InterruptedStorage(handle, putWithOf(handle), { losses: [], onDeath: async () => {} });
    const opening = openCounter(storage, ++this.#seed);
    opening.catch(() => {});
    await Promise.race([opening, elapsed(HELD_MS)]);
    gate.open();
    await work;
    const next = { storage, task: await opening };
    await this.#judge(next);
    return next;
  }

  async #checkpoint({ task, storage }: Owner, step: Step, expected?: "FENCED", gate?: Gate): Promise<void> {
    if (storage.isDead) return;
    const isPlain = step === "checkpoint without results";
    const next = ++this.#value;
    const asked = this.#ledger.ask(next, isPlain ? undefined : `result of ${next}`);
    const failure = new Error("The work fails, as it is to.");
    const transaction = async (client: unknown, scope: { readonly checkpoint: number }): Promise<void> => {
      asked.id = scope.checkpoint;
      await gate?.pass();
      await this.#place.writeResult(client, asked.result as string);
      if (step === "checkpoint whose work fails") throw failure;
    };
    const writes = settled(
      (async () => {
        task.count.set(KEY, next);
        return task.checkpoint(isPlain ? {} : { transaction });
      })(),
    );
    const result = await orDeath(storage, writes);
    if (result !== undefined) judgeOutcome(result, asked, { failure, expected, fails: step.endsWith("fails") });
  }
}

/** What the caller was told is true; where it was told nothing, a restore says. */
function judgeOutcome(
  result: Settled<{ readonly id: number }>,
  asked: Asked,
  {
    failure,
    expected,
    fails,
  }: { readonly failure: Error; readonly expected: "FENCED" | undefined; readonly fails: boolean },
): void {
  if (!("error" in result)) {
    expectThat(!fails, "A checkpoint whose work fails has completed");
    expectThat(expected === undefined, "The checkpoint of an owner that was taken over has completed");
    expectThat(
      asked.result === undefined || asked.id !== undefined,
      "A checkpoint completed and its work was not called",
    );
    asked.id = result.value.id;
    asked.outcome = "completed";
    return;
  }
  const { error } = result;
  const isUnknown = hasCode(error, "UNAVAILABLE") && (error as { outcome?: string }).outcome !== "not-applied";
  // Who is taken over behind its commit is told so, and its checkpoint counts.
  const isTakenOver = hasCode(error, "FENCED");
  if (isUnknown || (isTakenOver && expected === undefined)) return;
  asked.outcome = "void";
  const isTold = error === failure ? fails : isTakenOver || hasCode(error, "POISONED") || hasCode(error, "ABORTED");
  expectThat(isTold, `A checkpoint with results failed otherwise: ${outcomeText(result)}`);
}

/** Whether calls of the owner are not refused. */
function isAlive({ task }: Owner): boolean {
  try {
    task.count.getSync(KEY);
    return true;
  } catch {
    return false;
  }
}

/** What `work` gives, or `undefined` if the process dies before. */
async function orDeath<T>(storage: InterruptedStorage, work: Promise<T>): Promise<T | undefined> {
  work.catch(() => {});
  return Promise.race([work, storage.died.then(() => undefined)]);
}

function openCounter(checkpoints: CheckpointStorage, seed: number) {
  const backend = { name: "results", sync: true, checkpoints } as const;
  const options = { retain: RETAIN, graceMs: 0, clock: new ManualClock(), random: seededRandom(seed) };
  return openTask(OPERATOR, { job: "results", backend, ...options });
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => void systemClock.schedule(ms, resolve, true));
}
