import { describe, expect, test } from "vitest";
import { defineOperator, list, map, memoryStorage, number, openTask, string, value } from "../src/index.js";
import { atRest, Gate } from "./support/gate.js";
import { HookedStorage } from "./support/hooked-storage.js";
import { ManualClock } from "./support/manual-clock.js";

const OPERATOR = defineOperator("maps", {
  key: string(),
  states: { fields: map<number, string>({ field: number() }), value: value<string>(), list: list<string>() },
});

async function opened(memoryBytes?: number) {
  const checkpoints = new HookedStorage(memoryStorage());
  const backend = { name: "memory", sync: true, checkpoints } as const;
  const given = memoryBytes === undefined ? {} : { memoryBytes };
  const task = await openTask(OPERATOR, { job: "job", backend, clock: new ManualClock(), ...given });
  return { task, checkpoints };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const COUNTS = [1, 3, 20];

describe("iterating over a map", () => {
  test.each(COUNTS)("T35 %i fields may be deleted, set and cleared on the way", async (count) => {
    const { task } = await opened();
    const all = Array.from({ length: count }, (_, field) => [field, `${field}`] as const);
    for (const write of ["delete", "set", "add", "clear"] as const) {
      task.fields.clear("k");
      task.fields.setAll("k", all);
      const seen: unknown[] = [];
      const change = (field: number): void => {
        if (write === "delete") task.fields.delete("k", field);
        else if (write === "clear") task.fields.clear("k");
        else task.fields.set("k", write === "add" ? field + count : field, "new");
      };
      for (const entry of task.fields.entriesSync("k")) {
        seen.push(entry);
        change(entry[0]);
      }
      expect(seen).toEqual(all);
      const left = write === "set" ? count : write === "add" ? 2 * count : 0;
      expect([...task.fields.fieldsSync("k")]).toHaveLength(left);
    }
  });

  test.each(COUNTS)(
    "T35 the forms with promises show the %i fields of the call, not of the first step",
    async (count) => {
      const { task } = await opened();
      const all = Array.from({ length: count }, (_, field) => [field, `${field}`] as const);
      task.fields.setAll("k", all);
      const entries = task.fields.entries("k");
      const fields = task.fields.fields("k");
      const values = task.fields.values("k");
      task.fields.clear("k");
      task.fields.set("k", 99, "later");
      expect(await collect(entries)).toEqual(all);
      expect(await collect(fields)).toEqual(all.map(([field]) => field));
      expect(await collect(values)).toEqual(all.map(([, stored]) => stored));
      expect([[...task.fields.fieldsSync("k")], [...task.fields.valuesSync("k")]]).toEqual([[99], ["later"]]);
    },
  );

  test("T36 setAll sets all or, if an entry is refused, none", async () => {
    const { task } = await opened();
    task.fields.set("k", 1, "old");
    const refused: (readonly [unknown, unknown])[] = [
      ["no number", "x"],
      [3, "\ud800"],
    ];
    for (const entry of refused) {
      const given = [[1, "new"], [2, "new"], entry] as (readonly [number, string])[];
      expect(() => task.fields.setAll("k", given)).toThrow(expect.objectContaining({ code: "VALUE_INVALID" }));
    }
    const failing = function* (): Generator<readonly [number, string]> {
      yield [1, "new"];
      throw new RangeError("mine");
    };
    expect(() => task.fields.setAll("k", failing())).toThrow("mine");
    expect(task.fields.entriesSync("k")).toEqual([[1, "old"]]);
    task.fields.setAll("k", []);
    task.fields.setAll("new", []);
    task.fields.setAll("k", new Map([[2, "b"]]));
    task.fields.setAll("k", [
      [3, "c"],
      [3, "d"],
    ]);
    expect(task.fields.entriesSync("k")).toEqual([
      [1, "old"],
      [2, "b"],
      [3, "d"],
    ]);
    expect([...task.fields.keysSync()]).toEqual(["k"]);
  });
});

describe("enumerating keys", () => {
  const keys = Array.from({ length: 50 }, (_, index) => `key ${index}`);

  test.each(["value", "list", "fields"] as const)(
    "T13 writes on the way do not change what keys of %s gives",
    async (kind) => {
      const { task } = await opened();
      const put = (key: string): void => {
        if (kind === "value") task.value.set(key, "x");
        else if (kind === "list") task.list.add(key, "x");
        else task.fields.set(key, 1, "x");
      };
      const remove = (key: string): void => {
        if (kind === "fields") task.fields.clear(key);
        else task[kind].delete(key);
      };
      for (const key of keys) put(key);
      const expected = [...task[kind].keysSync()];
      expect([...expected].sort()).toEqual([...keys].sort());
      for (const isSync of [true, false]) {
        const seen: string[] = [];
        const see = (key: string): void => {
          // From the first key on: those not yet given are deleted, others come in.
          if (seen.length === 0) for (const each of keys) remove(each);
          seen.push(key);
          put(`later ${seen.length}`);
        };
        if (isSync) for (const key of task[kind].keysSync()) see(key);
        else for await (const key of task[kind].keys()) see(key);
        expect(seen).toEqual(expected);
        for (const key of [...task[kind].keysSync()]) remove(key);
        for (const key of keys) put(key);
      }
    },
  );
});

describe("updates", () => {
  test("T8 of one key run in the order of the calls, whatever they wait for; other keys do not wait", async () => {
    const { task } = await opened();
    const gates = [new Gate(), new Gate(), new Gate()];
    const begun: string[] = [];
    const updates = gates.map((gate, at) =>
      task.value.update("k", async (current) => {
        begun.push(`${at}`);
        await gate.opened;
        return `${current ?? ""}${at}`;
      }),
    );
    await task.value.update("other", () => "done");
    gates[2]?.open();
    gates[1]?.open();
    await atRest();
    expect(begun).toEqual(["0"]);
    // Other writes do not wait, and what an update gives is written over them.
    task.value.set("k", "between");
    gates[0]?.open();
    await Promise.all(updates);
    expect(begun).toEqual(["0", "1", "2"]);
    expect(task.value.getSync("k")).toBe("012");
  });

  test("T8 one that fails changes nothing, and the next one runs", async () => {
    const { task } = await opened();
    const failing = task.value.update("k", async () => Promise.reject(new RangeError("mine")));
    const next = task.value.update("k", (current) => `${current}`);
    await expect(failing).rejects.toThrow("mine");
    await next;
    expect(task.value.getSync("k")).toBe("undefined");
  });
});

describe("ready", () => {
  test("T30 starts a checkpoint at 60 % of the memory, and waits at 100 %", async () => {
    const memoryBytes = 100_000;
    const { task, checkpoints } = await opened(memoryBytes);
    const gate = new Gate();
    let puts = 0;
    checkpoints.beforePut = async (name) => {
      if (!name.includes("/segment/")) return;
      puts++;
      await gate.opened;
    };
    let isReady = false;
    const ready = async (): Promise<void> => {
      isReady = false;
      await task.ready();
      isReady = true;
    };
    let written = 0;
    while (puts === 0) {
      void ready();
      await atRest();
      expect(isReady).toBe(true);
      for (let row = 0; row < 10; row++) task.value.set(`${written++}`, "x".repeat(60));
    }
    // About 100 bytes a row: the text, and what a row takes besides.
    expect(written * 100).toBeGreaterThan(memoryBytes * 0.5);
    expect(written * 100).toBeLessThan(memoryBytes * 0.75);
    while (isReady) {
      for (let row = 0; row < 10; row++) task.value.set(`${written++}`, "x".repeat(60));
      void ready();
      await atRest();
    }
    expect(written * 100).toBeGreaterThan(memoryBytes * 0.9);
    expect(written * 100).toBeLessThan(memoryBytes * 1.2);
    gate.open();
    await atRest();
    expect(isReady).toBe(true);
    await task.close();
  });
});
