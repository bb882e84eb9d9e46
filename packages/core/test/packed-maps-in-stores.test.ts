/** Maps go from memory, where small ones are packed, to tasks over a store, where each field is a row, and back. */

import { describe, expect, test } from "vitest";
import { type Backend, defineOperator, map, memoryStorage, memoryStore, openTask, string } from "../src/index.js";
import { ManualClock } from "./support/manual-clock.js";
import { seededRandom } from "./support/seeded-random.js";

const KEYS = ["a", "b", "c"];
const FIELDS = [..."0123456789a"];

async function entriesOf(task: {
  readonly fields: { entries(key: string): AsyncIterable<readonly [string, number]> };
}): Promise<Record<string, [string, number][]>> {
  const found: Record<string, [string, number][]> = {};
  for (const key of KEYS) {
    found[key] = [];
    for await (const [field, value] of task.fields.entries(key)) found[key].push([field, value]);
  }
  return found;
}

describe("T38 maps are the same in memory and over a store, however often a job goes from one to the other", () => {
  test.each([1, 2, 3, 4, 5, 6])("seed %i, with and without a time to live", async (seed) => {
    const random = seededRandom(seed);
    const checkpoints = memoryStorage();
    const store = memoryStore();
    const ttl = seed % 2 === 0 ? {} : { ttl: { ms: 1e6 } };
    const operator = defineOperator("o", {
      key: string(),
      states: { fields: map<string, number>({ field: string(), ...ttl }) },
    });
    const model = new Map(KEYS.map((key) => [key, new Map<string, number>()]));
    const expected = () =>
      Object.fromEntries([...model].map(([key, fields]) => [key, [...fields].sort(([a], [b]) => (a < b ? -1 : 1))]));
    for (let step = 0; step < 30; step++) {
      const memory: Backend<false> = { name: "memory", sync: false, checkpoints };
      const backend = random.below(2) === 0 ? memory : { ...memory, name: "store", store };
      const task = await openTask(operator, { job: "job", backend, clock: new ManualClock() });
      expect(await entriesOf(task)).toEqual(expected());
      for (let round = 0; round < 2; round++) {
        const key = KEYS[random.below(KEYS.length)] as string;
        if (random.below(8) === 0) {
          task.fields.clear(key);
          model.get(key)?.clear();
        }
        for (let left = random.below(7); left > 0; left--) {
          const field = FIELDS[random.below(FIELDS.length)] as string;
          if (random.below(3) === 0) {
            task.fields.delete(key, field);
            model.get(key)?.delete(field);
          } else {
            task.fields.set(key, field, step);
            model.get(key)?.set(field, step);
          }
        }
        await task.checkpoint({ full: random.below(6) === 0 });
      }
      expect(await entriesOf(task)).toEqual(expected());
      await task.close();
    }
  });
});
