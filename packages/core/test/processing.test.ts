import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defineOperator, memoryStorage, openTask, string, splitList, value } from "../src/index.js";
import { atRest, Gate } from "./support/gate.js";
import { ManualClock } from "./support/manual-clock.js";

const OPERATOR = defineOperator("log", {
  key: string(),
  states: { log: value<readonly number[]>({ default: [] }), positions: splitList<number>() },
});

async function openLog(checkpoints = memoryStorage()) {
  const backend = { name: "memory", sync: true, checkpoints } as const;
  return openTask(OPERATOR, { job: "job", backend, clock: new ManualClock() });
}

interface LogRecord {
  readonly key: string;
  readonly position: number;
}

const recordsOf = (keys: readonly string[]): LogRecord[] => keys.map((key, position) => ({ key, position }));
const keyOf = ({ key }: LogRecord): string => key;

describe("process", () => {
  test("T28 handles the records of a key in order and one at a time, and never more than the limit", async () => {
    const keys = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 40 });
    const property = fc.asyncProperty(
      keys,
      fc.integer({ min: 1, max: 5 }),
      fc.scheduler(),
      async (drawn, limit, scheduler) => {
        const task = await openLog();
        const running = new Set<string>();
        const handled: LogRecord[] = [];
        let most = 0;
        const handler = async (record: LogRecord): Promise<void> => {
          expect(running.has(record.key)).toBe(false);
          running.add(record.key);
          most = Math.max(most, running.size);
          await scheduler.schedule(Promise.resolve());
          running.delete(record.key);
          handled.push(record);
        };
        const done = task.process(recordsOf(drawn), keyOf, handler, { inFlightMax: limit });
        await scheduler.waitFor(done);
        expect(most).toBeLessThanOrEqual(limit);
        expect(handled).toHaveLength(drawn.length);
        for (const key of new Set(drawn)) {
          const positions = handled.filter((record) => record.key === key).map(({ position }) => position);
          expect(positions).toEqual([...positions].sort((a, b) => a - b));
        }
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  test("T28 lets the event loop turn while handlers wait for nothing", async () => {
    const backend = { name: "memory", sync: true, checkpoints: memoryStorage() } as const;
    const task = await openTask(OPERATOR, { job: "job", backend });
    let hasTurned = false;
    setImmediate(() => {
      hasTurned = true;
    });
    /** Ends when the event loop has turned; else when that is beyond all patience. */
    function* records(): Generator<LogRecord> {
      for (let position = 0; !hasTurned && position < 3_000_000; position++) yield { key: "a", position };
    }
    await task.process(records(), keyOf, () => undefined);
    expect(hasTurned).toBe(true);
    await task.close();
  });

  test("handles records of different keys at the same time", async () => {
    const task = await openLog();
    const gate = new Gate();
    const begun: string[] = [];
    const done = task.process(recordsOf(["a", "b", "a", "c"]), keyOf, async ({ key }) => {
      begun.push(key);
      await gate.opened;
    });
    await atRest();
    expect(begun).toEqual(["a", "b", "c"]);
    gate.open();
    await done;
    expect(begun).toEqual(["a", "b", "c", "a"]);
  });

  test("T28 lets a barrier wait for the handlers in flight, and no record in before it", async () => {
    const storage = memoryStorage();
    const task = await openLog(storage);
    const gate = new Gate();
    let admitted = 0;
    const source = async function* (): AsyncGenerator<LogRecord> {
      yield { key: "a", position: 0 };
      yield { key: "b", position: 1 };
      await atRest();
      yield { key: "c", position: 2 };
    };
    const handler = async ({ key, position }: LogRecord): Promise<void> => {
      await gate.opened;
      task.log.set(key, [position]);
    };
    const done = task.process(source(), keyOf, handler, { admitted: () => admitted++ });
    await systemTurns();
    const checkpoint = task.checkpoint();
    await atRest();
    await atRest();
    expect(admitted).toBe(2);
    expect(task.checkpoints).toEqual([]);
    gate.open();
    await checkpoint;
    await done;
    expect(admitted).toBe(3);
    await task.close();
    const restored = await openLog(storage);
    expect([...restored.log.keysSync()].sort()).toEqual(["a", "b"]);
  });

  test("T17 T28 keeps in every checkpoint the effects of exactly the records admitted before it", async () => {
    const drawn = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 40 });
    const property = fc.asyncProperty(
      drawn,
      fc.array(fc.nat(40), { maxLength: 4 }),
      fc.scheduler(),
      async (keys, at, scheduler) => {
        const storage = memoryStorage();
        const task = await openLog(storage);
        const checkpoints: Promise<unknown>[] = [];
        const handler = async ({ key, position }: LogRecord): Promise<void> => {
          await scheduler.schedule(Promise.resolve());
          task.log.set(key, [...task.log.getSync(key), position]);
          if (at.includes(position)) checkpoints.push(task.checkpoint());
        };
        const admitted = ({ position }: LogRecord): void => task.positions.set([position]);
        await scheduler.waitFor(task.process(recordsOf(keys), keyOf, handler, { admitted, inFlightMax: 3 }));
        await Promise.all(checkpoints);
        await task.close();
        const restored = await openLog(storage);
        const [last = -1] = restored.positions.get();
        for (const key of ["a", "b", "c"]) {
          const expected = recordsOf(keys).filter((record) => record.key === key && record.position <= last);
          expect(restored.log.getSync(key)).toEqual(expected.map(({ position }) => position));
        }
        if (checkpoints.length > 0) expect(last).toBeGreaterThanOrEqual(0);
      },
    );
    await fc.assert(property, { numRuns: 80 });
  });

  test("T29 poisons the task when a handler fails, and handles nothing after that", async () => {
    const task = await openLog();
    const failure = new Error("mine");
    const handled: number[] = [];
    const done = task.process(recordsOf(["a", "a", "a", "a"]), keyOf, async ({ position }) => {
      handled.push(position);
      if (position === 1) throw failure;
    });
    await expect(done).rejects.toBe(failure);
    expect(handled).toEqual([0, 1]);
    expect(() => task.log.getSync("a")).toThrow(expect.objectContaining({ code: "POISONED", cause: failure }));
    await expect(task.checkpoint()).rejects.toMatchObject({ code: "POISONED" });
  });

  test("T29 poisons the task when the source, a key or admitting fails, after those in flight have settled", async () => {
    const failure = new Error("mine");
    const source = async function* (): AsyncGenerator<LogRecord> {
      yield { key: "a", position: 0 };
      throw failure;
    };
    const throwing = (): never => {
      throw failure;
    };
    for (const attempt of ["source", "key", "admitted"]) {
      const task = await openLog();
      let isSettled = true;
      const handler = async (): Promise<void> => {
        isSettled = false;
        await atRest();
        isSettled = true;
      };
      const records = attempt === "source" ? source() : recordsOf(["a"]);
      const options = attempt === "admitted" ? { admitted: throwing } : {};
      await expect(task.process(records, attempt === "key" ? throwing : keyOf, handler, options)).rejects.toBe(failure);
      expect(isSettled).toBe(true);
      expect(() => task.log.getSync("a")).toThrow(expect.objectContaining({ code: "POISONED" }));
    }
  });
});

/** Enough for a record to be admitted, and fewer than the source waits for. */
async function systemTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
