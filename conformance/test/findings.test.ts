/** Smallest programs for what the properties have found in core: each stays repaired. */

import {
  type AnyOperator,
  type CheckpointStorage,
  defineOperator,
  isStateBackendError,
  keyGroupOf,
  KeyGroups,
  list,
  map,
  memoryStorage,
  openJob,
  splitList,
  string,
  value,
} from "@tidemark/core";
import { describe, expect, it } from "vitest";
import { Gate, ScriptedStorage } from "../src/faults/scripted-storage.js";
import { settled } from "../src/oracles/expectations.js";
import { readObjects } from "../src/properties/damage.js";
import { memoryHarness } from "./support/harnesses.js";

/** A value lives for ten. */
const EVENT_TTL = { ms: 10, time: "event" } as const;
const STATES = { n: value(), seen: list(), routes: map(), source: splitList() };
const range = (first: number, last: number) => ({ keyGroups: KeyGroups.of([{ first, last }]) });

function declare(states: object = STATES): AnyOperator {
  return defineOperator("o", { key: string(), maxParallelism: 4, states: states as never }) as never;
}

interface LooseState {
  get(...given: unknown[]): Promise<unknown>;
  getSync(key: string): unknown;
  set(...given: unknown[]): void;
  add(...given: unknown[]): void;
  addAll(...given: unknown[]): void;
  keysSync(): Iterable<string>;
  entries(key: string): AsyncIterable<unknown>;
}

type LooseStates = Readonly<Record<keyof typeof STATES, LooseState>>;

/** A job on `checkpoints`, with a task for each of `ranges`. */
async function open(checkpoints: CheckpointStorage, more: object = {}, states?: object, ranges: object[] = [{}]) {
  const operator = declare(states);
  const tasks = ranges.map((range) => ({ operator, ...range }));
  const job = await openJob({
    job: "j",
    backend: memoryHarness.backend(),
    graceMs: 0,
    checkpoints,
    tasks,
    ...more,
  });
  return { ...job, control: job, states: job.tasks.map((task) => (task as unknown as { states: LooseStates }).states) };
}

async function errorOf(work: () => Promise<unknown>): Promise<{ readonly code?: string; readonly outcome?: string }> {
  const result = await settled(work());
  return "error" in result && isStateBackendError(result.error) ? result.error : {};
}

/** `storage` without the objects whose names match. */
async function without(storage: CheckpointStorage, lost: RegExp): Promise<CheckpointStorage> {
  const names = [...(await readObjects(storage)).keys()].filter((name) => lost.test(name));
  expect(names.length).toBeGreaterThan(0);
  await storage.remove(names);
  return storage;
}

/** One checkpoint, by the first owner. */
async function withCheckpoint(): Promise<CheckpointStorage> {
  const storage = memoryStorage();
  const { states, control } = await open(storage);
  states[0]?.n.set("a", 1);
  await control.checkpoint();
  await control.close();
  return storage;
}

describe("findings", () => {
  // Attempts are counted by owner records alone: the next owner becomes attempt 1, below all that is published.
  it("T27 O4: a job whose owner record is lost is not taken for an empty one", async () => {
    const intact = await withCheckpoint();
    const second = await open(intact);
    await second.control.checkpoint();
    await second.control.close();
    const storage = await without(intact, /\/owner\//);
    const result = await settled(open(storage));
    if (!("error" in result)) expect(result.value.states[0]?.n.getSync("a")).toBe(1);
  });

  // The lineage of the first owner names no checkpoint, so that nothing tells that one is missing.
  it("T27 O4: a job whose only manifest is lost is not taken for an empty one", async () => {
    const storage = await without(await withCheckpoint(), /\/checkpoint\//);
    expect((await errorOf(() => open(storage))).code).toBe("CHECKPOINT_CORRUPT");
  });

  // Without its codec it could not be dealt out, and leaving it out would lose it.
  it("T16 O2: operator state that is not declared stops a rescaling, and is still there", async () => {
    const storage = memoryStorage();
    const { source: _, ...others } = STATES;
    const first = await open(storage);
    first.states[0]?.source.set([1, 2]);
    await first.control.checkpoint();
    const rescaled = errorOf(() => open(storage, {}, others, [range(0, 1), range(2, 3)]));
    expect((await rescaled).code).toBe("STATE_INCOMPATIBLE");
    const third = await open(storage);
    expect(await third.states[0]?.source.get()).toEqual([1, 2]);
  });

  // A task whose key groups stay keeps its elements, and the others get shares of all: some come twice, some never.
  it("T15 O1: no element of a split list is lost when the number of tasks stays and their key groups change", async () => {
    const storage = memoryStorage();
    const before = await open(storage, {}, STATES, [range(0, 0), range(1, 1), range(2, 3)]);
    before.states[2]?.source.set([1, 2, 3]);
    await before.control.checkpoint();
    const after = await open(storage, {}, STATES, [range(0, 0), range(1, 2), range(3, 3)]);
    const elements = await Promise.all(after.states.map(({ source }) => source.get()));
    expect(elements.flat()).toEqual([1, 2, 3]);
  });

  // The chain is read before anyone looks who the owner is.
  it("T25 O3: a fenced owner is told FENCED, also when what it would merge is gone", async () => {
    const storage = memoryStorage();
    const older = await open(storage);
    older.states[0]?.n.set("a", 1);
    await older.control.checkpoint();
    const newer = await open(storage);
    await newer.control.checkpoint({ full: true });
    older.states[0]?.n.set("b", 1);
    expect((await errorOf(() => older.control.checkpoint({ full: true }))).code).toBe("FENCED");
  });

  // Savepoints never look who the owner is, although their errors are documented to be those of checkpoints.
  it("T25 O3: a fenced owner does not take savepoints either", async () => {
    const storage = memoryStorage();
    const older = await open(storage);
    older.states[0]?.n.set("a", 1);
    await open(storage);
    expect((await errorOf(() => older.control.savepoint(memoryStorage()))).code).toBe("FENCED");
  });

  // The record of the new lineage may name a manifest that the last owner is removing.
  it("T24 O5: what is retained restores, also if the last owner was just removing it", async () => {
    const storage = memoryStorage();
    const scripted = new ScriptedStorage(storage);
    const older = await open(scripted);
    await older.control.checkpoint();
    const gate = new Gate();
    scripted.addRule({ call: "remove", when: "before", effect: { kind: "gate", gate } });
    const work = older.control.checkpoint();
    await gate.reached;
    const newer = await open(storage, { retain: 5 });
    gate.open();
    await work;
    for (const id of newer.control.retained) {
      const reader = { job: "reader", restore: { from: storage, job: "j", checkpoint: id } };
      expect((await open(memoryStorage(), reader)).control.restoredFrom).toBe(id);
    }
    await newer.control.checkpoint();
    expect(newer.control.garbageError).toBeUndefined();
  });

  // The listing that follows the manifest fails with its own outcome, and the checkpoint counts as aborted.
  it("T26 O7: a checkpoint whose manifest was stored is not said to be surely not there", async () => {
    const scripted = new ScriptedStorage(memoryStorage());
    const { control } = await open(scripted);
    scripted.addRule({
      call: "list",
      kind: "owner",
      when: "before",
      effect: { kind: "error", outcome: "not-applied" },
    });
    const { code, outcome } = await errorOf(() => control.checkpoint());
    const isStored = [...(await readObjects(scripted)).keys()].some((name) => name.includes("/checkpoint/"));
    // Either it tried again and all is well, or it does not know.
    if (code !== undefined) {
      expect({ isStored, outcome }).toEqual({ isStored, outcome: isStored ? "unknown" : "not-applied" });
    }
  });

  // The asynchronous form looks when it is first asked for an entry.
  it("T10 entries of a map are those of the moment of the call, in both forms", async () => {
    const { states } = await open(memoryStorage());
    states[0]?.routes.set("a", "f", 1);
    const entries = states[0]?.routes.entries("a") ?? [];
    states[0]?.routes.set("a", "g", 2);
    const found: unknown[] = [];
    for await (const entry of entries as AsyncIterable<unknown>) found.push(entry);
    expect(found).toEqual([["f", 1]]);
  });

  // A default is handed out itself, not a copy.
  it("T5 a default cannot be changed by who reads it", async () => {
    const { states } = await open(memoryStorage(), {}, { ...STATES, n: value({ default: new Map() }) });
    (states[0]?.n.getSync("a") as Map<string, number>).set("tampered", 1);
    expect(states[0]?.n.getSync("b")).toEqual(new Map());
  });

  // Lone surrogates are all hashed as the replacement character.
  it("T119 two jobs are never one, whatever they are called", async () => {
    const storage = memoryStorage();
    const first = await settled(open(storage, { job: "\ud800" }));
    if ("error" in first) return;
    first.value.states[0]?.n.set("a", 1);
    await first.value.control.checkpoint();
    const second = await open(storage, { job: "\udfff" });
    expect(second.states[0]?.n.getSync("a")).toBeUndefined();
    await first.value.control.checkpoint();
  });

  // The end of a checkpoint was noticed only after whoever had waited for it went on.
  it("T17 a barrier comes with the call, also right after another checkpoint", async () => {
    const storage = memoryStorage();
    const { control, states } = await open(storage);
    await control.checkpoint();
    states[0]?.n.set("a", 1);
    const second = control.checkpoint();
    states[0]?.n.set("a", 2);
    const { id } = await second;
    const reader = await open(memoryStorage(), { job: "reader", restore: { from: storage, job: "j", checkpoint: id } });
    expect(reader.states[0]?.n.getSync("a")).toBe(1);
  });

  it("T31 closing during a checkpoint waits for it, and refuses what comes after", async () => {
    const scripted = new ScriptedStorage(memoryStorage());
    const { control, states } = await open(scripted);
    states[0]?.n.set("a", 1);
    const gate = new Gate();
    scripted.addRule({ call: "put", kind: "segment", when: "before", effect: { kind: "gate", gate } });
    const work = settled(control.checkpoint());
    await gate.reached;
    const closed = control.close();
    gate.open();
    await closed;
    expect(await work).toHaveProperty("value");
    expect((await errorOf(() => control.checkpoint())).code).toBe("CLOSED");
  });

  // A task that takes over from two has the lower of their watermarks, and judged by it what had expired by the higher one.
  it.each([
    ["value", value({ ttl: EVENT_TTL }), (n: LooseState) => n.set("a", 1)],
    ["list", list({ ttl: EVENT_TTL }), (n: LooseState) => n.addAll("a", [1, 2])],
    ["map", map({ ttl: EVENT_TTL }), (n: LooseState) => n.set("a", "f", 1)],
  ])("T45 T46 a %s that has expired by event time stays so when one task takes over from two", async (_, n, write) => {
    const storage = memoryStorage();
    const states = { ...STATES, n };
    const isOwner = ({ keyGroups }: { readonly keyGroups: KeyGroups }): boolean =>
      keyGroups.has(keyGroupOf(string().hash("a"), 4));
    const before = await open(storage, {}, states, [range(0, 1), range(2, 3)]);
    for (const task of before.control.tasks) await task.advanceWatermark(10);
    const owner = before.control.tasks.find(isOwner);
    write((owner as unknown as { readonly states: LooseStates }).states.n);
    await before.control.checkpoint();
    await owner?.advanceWatermark(20);
    await before.control.checkpoint();
    const after = await open(storage, {}, states);
    expect(after.control.tasks[0]?.watermark).toBe(10);
    expect([...(after.states[0]?.n.keysSync() ?? [])]).toEqual([]);
    await after.control.checkpoint();
    const again = await open(storage, {}, states);
    expect([...(again.states[0]?.n.keysSync() ?? [])]).toEqual([]);
  });
});
