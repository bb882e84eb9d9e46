/** Values that expire, against a plain model, while time stands still and moves. */

import fc from "fast-check";
import { expect, test } from "vitest";
import {
  defineOperator,
  type KeyCodec,
  memoryStorage,
  openTask,
  string,
  type SyncValueState,
  type TtlOptions,
  value,
} from "../src/index.js";
import { KeyGroups } from "../src/key/key-groups.js";
import { bindState } from "../src/state/bind.js";
import { Epoch } from "../src/table/epoch.js";
import { TaskTime } from "../src/table/task-time.js";
import { TurnClock } from "./support/turn-clock.js";

const MS = 10;
const KEYS = ["a", "b", "c"] as const;

function bound(ttl: Partial<TtlOptions> = {}) {
  const clock = new TurnClock();
  const binding = {
    stateId: 0,
    key: string() as unknown as KeyCodec<unknown>,
    groups: KeyGroups.all(128),
    maxParallelism: 128,
    epoch: new Epoch(1),
    time: new TaskTime(clock),
  };
  const { table, handle } = bindState(value<number>({ ttl: { ms: MS, ...ttl } }), binding);
  return { clock, table, time: binding.time, state: handle as SyncValueState<string, number, number | undefined> };
}

const key = fc.constantFrom(...KEYS);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ set: key, to: fc.nat(9) }) },
  { weight: 6, arbitrary: fc.record({ get: key }) },
  { weight: 1, arbitrary: fc.record({ remove: key }) },
  { weight: 1, arbitrary: fc.constant("keys" as const) },
  { weight: 3, arbitrary: fc.record({ wait: fc.integer({ min: 1, max: MS }) }) },
);

test.each([{ update: "on-create-and-write" }, { update: "on-read-and-write" }] as const)(
  "T43 T44 T45 with $update every call sees exactly what has not expired, at each turn",
  ({ update }) => {
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { clock, state } = bound({ update });
      const model = new Map<string, { readonly value: number; readonly stamp: number }>();
      for (const at of steps) {
        const now = clock.now();
        for (const [name, { stamp }] of model) if (stamp + MS <= now) model.delete(name);
        if (at === "keys") expect([...state.keysSync()].sort()).toEqual([...model.keys()].sort());
        else if ("set" in at) {
          state.set(at.set, at.to);
          model.set(at.set, { value: at.to, stamp: now });
        } else if ("get" in at) {
          const found = model.get(at.get);
          expect(state.getSync(at.get)).toBe(found?.value);
          if (found !== undefined && update === "on-read-and-write") model.set(at.get, { ...found, stamp: now });
        } else if ("remove" in at) {
          state.delete(at.remove);
          model.delete(at.remove);
        } else {
          clock.advance(at.wait);
          clock.endTurn();
        }
      }
    });
    fc.assert(property, { numRuns: 1000 });
  },
);

test.each(["never-return-expired", "return-expired-if-not-cleaned-up"] as const)(
  "T45 with %s more may expire at once than a call removes",
  (visibility) => {
    const { clock, state, table } = bound({ visibility });
    for (let at = 0; at < 1000; at++) state.set(`k${at}`, at);
    clock.advance(MS);
    clock.endTurn();
    expect([...state.keysSync()]).toEqual([]);
    const given = state.getSync("k999");
    expect(given).toBe(visibility === "never-return-expired" ? undefined : 999);
    expect(state.getSync("k999")).toBeUndefined();
    if (visibility === "never-return-expired") {
      for (let at = 500; at < 550; at++) expect(state.getSync(`k${at}`)).toBeUndefined();
    }
    state.set("k700", 7);
    expect(state.getSync("k700")).toBe(7);
    expect([...state.keysSync()]).toEqual(["k700"]);
    expect(table.liveRows).toBeGreaterThan(1);
  },
);

test("T48 each call removes up to 16 cells of what has expired, the earliest first", () => {
  const { clock, state, table } = bound();
  for (let at = 0; at < 40; at++) {
    state.set(`k${at}`, at);
    clock.advance(at === 19 ? 1 : 0);
    clock.endTurn();
  }
  clock.advance(MS - 1);
  clock.endTurn();
  state.getSync("k39");
  expect(table.liveRows).toBe(24);
  state.delete("no such key");
  expect(table.liveRows).toBe(20);
  clock.advance(1);
  clock.endTurn();
  state.set("new", 1);
  expect(table.liveRows).toBe(5);
});

test("T51 by event time reads see at once that the watermark has moved", () => {
  const { state, time } = bound({ time: "event" });
  time.advance(100);
  state.set("a", 1);
  for (let at = 0; at < 3; at++) expect(state.getSync("a")).toBe(1);
  time.advance(100 + MS - 1);
  for (let at = 0; at < 3; at++) expect(state.getSync("a")).toBe(1);
  time.advance(100 + MS);
  expect(state.getSync("a")).toBeUndefined();
});

test.each([
  { before: 100, after: 10 },
  { before: 10, after: 100 },
])("T43 values stamped with $before ms and, after a restore, with $after ms expire each by its own", async (ms) => {
  const clock = new TurnClock();
  const checkpoints = memoryStorage();
  const open = (lived: number) =>
    openTask(defineOperator("o", { key: string(), states: { v: value<number>({ ttl: { ms: lived } }) } }), {
      job: "job",
      backend: { name: "memory", sync: true, checkpoints } as const,
      clock,
    });
  const old = await open(ms.before);
  for (const [at, name] of ["z", "a", "m"].entries()) {
    old.v.set(name, at);
    clock.advance(1);
    clock.endTurn();
  }
  await old.checkpoint();
  await old.close();
  const task = await open(ms.after);
  clock.endTurn();
  const stamps = { z: 0, a: 1, m: 2, new: 3 };
  task.v.set("new", 3);
  task.v.set("m", 2);
  for (let time = 3; time < 120; time++) {
    for (const [name, at] of Object.entries(stamps)) {
      const isStampedAnew = at >= 2;
      const expiry = isStampedAnew ? 3 + ms.after : at + ms.before;
      expect([name, time, task.v.getSync(name)]).toEqual([name, time, time < expiry ? at : undefined]);
    }
    clock.advance(1);
    clock.endTurn();
  }
});
