/**
 * O10: records that are replayed from the position in the restored checkpoint take effect exactly once, whatever was in flight
 * at the barrier and wherever the job died.
 */

import { type AnyOperator, defineOperator, openJob, splitList, string, type TaskControl, value } from "@tidemark/core";
import fc from "fast-check";
import { ManualClock } from "../faults/manual-clock.js";
import { ScriptedStorage } from "../faults/scripted-storage.js";
import { seededRandom } from "../faults/seeded-random.js";
import type { Harness, Place } from "../harness.js";
import { expectEqual, settled } from "../oracles/expectations.js";

interface Life {
  /** How many records are processed before the job dies. */
  readonly records: number;
  /** Positions at which a checkpoint begins while records are in flight. */
  readonly checkpoints: readonly number[];
  /** Which of them fail. */
  readonly failing: number;
}

const KEYS = ["a", "b", "\u0000"];
const lives: fc.Arbitrary<readonly Life[]> = fc.array(
  fc.record({
    records: fc.nat(40),
    checkpoints: fc.array(fc.nat(60), { maxLength: 4 }),
    failing: fc.nat(15),
  }),
  { minLength: 1, maxLength: 4, size: "max" },
);

/** One record: its number, and how many turns its handler takes. */
interface Numbered {
  readonly position: number;
  readonly turns: number;
}

export function exactlyOnce(harness: Harness): fc.IAsyncProperty<unknown[]> {
  const turns = fc.array(fc.nat(6), { minLength: 60, maxLength: 60, size: "max" });
  return fc.asyncProperty(lives, turns, async (given, delays) => {
    const place = harness.place();
    const records = delays.map((delay, position): Numbered => ({ position, turns: delay }));
    for (const [index, life] of given.entries()) await live({ harness, place, seed: index + 1 }, life, records);
    const all = { records: records.length, checkpoints: [], failing: 0 };
    const found = await live({ harness, place, seed: 99 }, all, records);
    const expected = KEYS.map((key) => records.filter(({ position }) => keyOf(position) === key));
    expectEqual(
      found,
      expected.map((each) => each.map(({ position }) => position)),
      "Records handled, by key",
    );
  });
}

interface States {
  readonly seen: {
    update(key: string, change: (current: readonly number[]) => readonly number[]): Promise<void>;
    get(key: string): Promise<readonly number[]>;
  };
  readonly source: { get(): readonly number[]; set(elements: readonly number[]): void };
}

/** Opens the job, processes from where its checkpoint was, and dies. Resolves to what each key has seen. */
async function live(
  { harness, place, seed }: { readonly harness: Harness; readonly place: Place; readonly seed: number },
  life: Life,
  records: readonly Numbered[],
): Promise<readonly (readonly number[])[]> {
  const storage = new ScriptedStorage(place.open());
  const job = await openJob({
    job: "numbers",
    backend: harness.backend(),
    checkpoints: storage,
    clock: new ManualClock(),
    random: seededRandom(seed),
    tasks: [{ operator: declare() }],
  });
  const task = job.tasks[0] as unknown as TaskControl<string> & { readonly states: States };
  const { seen, source } = task.states;
  const start = source.get()[0] ?? 0;
  const checkpoints: Promise<unknown>[] = [];
  async function* fromStart(): AsyncGenerator<Numbered> {
    for (const record of records.slice(start, start + life.records)) {
      const at = life.checkpoints.indexOf(record.position);
      if (at >= 0) {
        if (((life.failing >> at) & 1) === 1) failNext(storage);
        checkpoints.push(settled(job.checkpoint()));
      }
      yield record;
    }
  }
  await task.process(
    fromStart(),
    ({ position }) => keyOf(position),
    (record, key) => handle(seen, record, key),
    {
      admitted: ({ position }) => source.set([position + 1]),
      inFlightMax: 8,
    },
  );
  await Promise.all(checkpoints);
  const result = await Promise.all(KEYS.map((key) => seen.get(key)));
  storage.kill();
  return result;
}

function declare(): AnyOperator {
  const states = { seen: value<readonly number[]>({ default: [] }), source: splitList<number>() };
  return defineOperator("counter", { key: string(), states }) as never;
}

async function handle(seen: States["seen"], { position, turns }: Numbered, key: string): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
  await seen.update(key, (current) => [...current, position]);
}

function failNext(storage: ScriptedStorage): void {
  storage.addRule({ call: "put", kind: "segment", when: "before", effect: { kind: "error", outcome: "not-applied" } });
}

function keyOf(position: number): string {
  return KEYS[(position * 7) % KEYS.length] as string;
}
