/** (k) Bad input: a typed error at the earliest moment, and nothing stored has changed. */

import { createHash } from "node:crypto";
import {
  type AnyOperator,
  bytes,
  type CheckpointStorage,
  defineOperator,
  float64,
  integer,
  type JobControl,
  KeyGroups,
  list,
  map,
  memoryStorage,
  namespaced as typedNamespaced,
  number,
  openJob,
  openTask,
  reducing,
  splitList,
  string,
  value,
} from "@tidemark/core";
import { describe, expect, it } from "vitest";
import { REFUSED_VALUES } from "../src/commands/state-commands.js";
import { outcomeText, settled } from "../src/oracles/expectations.js";
import { placeOf, readObjects } from "../src/properties/damage.js";
import { diskPlace, memoryHarness } from "./support/harnesses.js";
import { FaultFiles } from "./support/workspace.js";

const namespaced = (namespace: unknown, inner: unknown) => typedNamespaced(namespace as never, inner as never);
const backend = memoryHarness.backend();
const STATES = {
  count: value<unknown>({ codec: integer() }),
  seen: list<unknown>(),
  routes: map<string, unknown>(),
  worst: reducing<string>((a, b) => a + b),
  windows: namespaced(string(), value<unknown>()),
  source: splitList<unknown>(),
};
const OPTIONS = { key: string(), maxParallelism: 8, states: STATES };
const airports = declare("airports");

/** Bad input mostly does not type-check: the types are left out from here on. */
interface LooseState {
  in(namespace: unknown): LooseState;
  set(...given: unknown[]): unknown;
  add(...given: unknown[]): unknown;
  addAll(...given: unknown[]): unknown;
  delete(...given: unknown[]): unknown;
  update(...given: unknown[]): unknown;
  get(...given: unknown[]): unknown;
  getSync(...given: unknown[]): unknown;
  keysSync(): Iterable<unknown>;
}

type LooseTask = JobControl & { readonly states: Readonly<Record<keyof typeof STATES, LooseState>> };

function declare(name: string, change: object = {}): AnyOperator {
  return defineOperator(name, { ...OPTIONS, ...change }) as never;
}

async function open(operator: unknown, storage: CheckpointStorage, more: object = {}): Promise<LooseTask> {
  const options = { job: "flights", backend, checkpoints: storage, ...more };
  return (await openTask(operator as never, options as never)) as unknown as LooseTask;
}

/** The code of a refusal; the name of the class where it has none, as mistakes of the caller have. */
async function refusalOf(work: () => unknown): Promise<string> {
  const result = await settled(Promise.resolve().then(work));
  if (!("error" in result)) return "none";
  const { error } = result;
  if (!(error instanceof Error)) return String(error);
  return "code" in error ? String(error.code) : error.name;
}

/** A place where `airports` has checkpoint 1, and its bytes. */
async function place() {
  const storage = memoryStorage();
  const task = await open(airports, storage);
  task.states.count.set("ATL", 1);
  task.states.seen.add("ATL", "a");
  task.states.source.add(7);
  await task.checkpoint();
  await task.close();
  return { storage, before: await readObjects(storage) };
}

describe("T23 what does not fit the checkpoint is refused before anything changes", () => {
  const other = (change: object): AnyOperator => declare("airports", change);
  const state = (change: object): AnyOperator => other({ states: { ...STATES, ...change } });
  const cases: Record<string, AnyOperator> = {
    "another maxParallelism": other({ maxParallelism: 16 }),
    "another key codec": other({ key: number() }),
    "another kind of state": state({ count: list() }),
    "a value that became reducing": state({ count: reducing((a: number) => a, { codec: integer() }) }),
    "another value codec": state({ count: value({ codec: float64() }) }),
    "another field codec": state({ routes: map({ field: string() }) }),
    "another namespace codec": state({ windows: namespaced(bytes(), value()) }),
    "a namespace where there was none": state({ count: namespaced(string(), value({ codec: integer() })) }),
    "no namespace where there was one": state({ windows: value() }),
    "an operator state that became keyed": state({ source: list() }),
    "another operator": declare("airport"),
  };
  it.each(Object.entries(cases))("%s", async (_, operator) => {
    const { storage, before } = await place();
    expect(await refusalOf(() => open(operator, storage))).toBe("STATE_INCOMPATIBLE");
    expect(await readObjects(storage)).toEqual(before);
  });

  const missing = {
    "an unknown checkpoint": { restore: 2 },
    "an unknown job": { restore: { from: memoryStorage(), job: "nobody" } },
    "a place without a savepoint": { restore: { savepoint: memoryStorage() } },
  };
  it.each(Object.entries(missing))("%s", async (_, restore) => {
    const { storage, before } = await place();
    expect(await refusalOf(() => open(airports, storage, restore))).toBe("CHECKPOINT_NOT_FOUND");
    expect(await readObjects(storage)).toEqual(before);
  });

  it("T22 key groups that the checkpoint does not have", async () => {
    const storage = memoryStorage();
    const half = { keyGroups: KeyGroups.of([{ first: 0, last: 3 }]) };
    const task = await open(airports, storage, half);
    await task.checkpoint();
    await task.close();
    const before = await readObjects(storage);
    expect(await refusalOf(() => open(airports, storage))).toBe("STATE_INCOMPATIBLE");
    expect(await readObjects(storage)).toEqual(before);
  });

  it("a savepoint where there is one already", async () => {
    const target = memoryStorage();
    const task = await open(airports, memoryStorage());
    await task.savepoint(target);
    const before = await readObjects(target);
    expect(await refusalOf(() => task.savepoint(target))).toBe("STATE_INCOMPATIBLE");
    expect(await readObjects(target)).toEqual(before);
    await task.checkpoint();
  });
});

describe("a newer format is not guessed at", () => {
  it.each(["checkpoint", "lineage", "segment"])("of a %s", async (folder) => {
    const { before } = await place();
    const objects = new Map(before);
    const [name, body] = [...before].find(([each]) => each.includes(`/${folder}/`)) as [string, Buffer];
    if (folder === "segment") writeNewerSegment(objects, name);
    else objects.set(name, Buffer.from(body.toString("latin1").replace(/^([a-z-]+) 1 /, "$1 3 "), "latin1"));
    const storage = await placeOf(objects);
    expect(await refusalOf(() => open(airports, storage))).toBe("FORMAT_UNSUPPORTED");
  });
});

/** As a newer version would write it: the manifest names the index that is there. The last byte is the version. */
function writeNewerSegment(objects: Map<string, Buffer>, name: string): void {
  const segment = Buffer.from(objects.get(name) as Buffer);
  segment[segment.length - 1] = 3;
  objects.set(name, segment);
  const [manifestName, manifest] = [...objects].find(([each]) => each.includes("/checkpoint/")) as [string, Buffer];
  const document = manifest.toString("utf8").split("\n")[1] ?? "";
  const changed = document.replace(/"indexBytes":(\d+),"indexSha256":"[0-9a-f]+"/, (_, bytes: string) => {
    return `"indexBytes":${bytes},"indexSha256":"${sha256(segment.subarray(-Number(bytes)))}"`;
  });
  objects.set(manifestName, Buffer.from(`tidemark-manifest 1 ${sha256(changed)}\n${changed}\n`));
}

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

describe("T3 what cannot be kept exactly is refused before anything changes", () => {
  it.each(REFUSED_VALUES.map((make, index) => ({ make, index })))("value $index", async ({ make }) => {
    const task = await open(airports, memoryStorage());
    const { seen, routes, windows, source } = task.states;
    seen.add("a", 1);
    source.set([1]);
    const refused = [
      () => seen.add("a", make()),
      () => seen.addAll("a", [2, make()]),
      () => seen.set("a", [2, make()]),
      () => routes.set("a", "f", make()),
      () => windows.in("w").set("a", make()),
      () => source.add(make()),
      () => source.set([2, make()]),
      () => windows.in("w").update("b", () => refusedUpdate(make())),
    ];
    for (const write of refused) expect(await refusalOf(write)).toBe("VALUE_INVALID");
    expect(seen.getSync("a")).toEqual([1]);
    expect([...routes.keysSync(), ...windows.in("w").keysSync()]).toEqual([]);
    expect(source.get()).toEqual([1]);
    await task.checkpoint();
  });

  it.each(["\ud800", "a\udc00", 1, null, undefined])("the key %j", async (key) => {
    const task = await open(airports, memoryStorage());
    const { count, seen, routes, windows, worst } = task.states;
    for (const state of [count, seen, worst, routes]) {
      expect(await refusalOf(() => state.delete(key, "f"))).toBe("VALUE_INVALID");
    }
    expect(await refusalOf(() => windows.in(key))).toBe("VALUE_INVALID");
  });

  it("T7 a key of another task", async () => {
    const first = { keyGroups: KeyGroups.of([{ first: 0, last: 0 }]) };
    const task = await open(airports, memoryStorage(), first);
    const refusals = await Promise.all(
      ["a", "b", "c", "d", "e"].map((key) => refusalOf(() => task.states.count.set(key, 1))),
    );
    expect(new Set(refusals)).toContain("KEY_NOT_OWNED");
    for (const refusal of refusals) expect(["KEY_NOT_OWNED", "none"]).toContain(refusal);
  });
});

/** What `update` cannot take: a promise it waits for, and by `undefined` it deletes. */
function refusedUpdate(value: unknown): unknown {
  return value === undefined || value instanceof Promise ? Symbol("refused") : value;
}

describe("mistakes of the caller are errors without a code", () => {
  const tasks = (...all: unknown[]) => ({ tasks: all as never });
  const groups = (first: number, last: number) => KeyGroups.of([{ first, last }]);
  const cases: Record<string, [object, string]> = {
    "no job name": [{ job: 7, ...tasks({ operator: airports }) }, "TypeError"],
    "no tasks": [tasks(), "TypeError"],
    "no operator": [tasks({}), "TypeError"],
    "key groups beyond the operator's": [tasks({ operator: airports, keyGroups: groups(0, 8) }), "RangeError"],
    "no key groups": [tasks({ operator: airports, keyGroups: KeyGroups.of([]) }), "RangeError"],
    "key groups of two tasks": [
      tasks({ operator: airports, keyGroups: groups(0, 4) }, { operator: airports, keyGroups: groups(4, 7) }),
      "RangeError",
    ],
    "two operators of one name": [tasks({ operator: airports }, { operator: declare("airports") }), "TypeError"],
    "nothing retained": [{ retain: 0, ...tasks({ operator: airports }) }, "RangeError"],
    "time that is no number": [{ timeoutMs: Number.NaN, ...tasks({ operator: airports }) }, "RangeError"],
    "negative grace": [{ graceMs: -1, ...tasks({ operator: airports }) }, "RangeError"],
    "unknown compression": [{ compression: "zip", ...tasks({ operator: airports }) }, "RangeError"],
  };
  it.each(Object.entries(cases))("%s", async (_, [options, expected]) => {
    const { storage, before } = await place();
    const refused = () => openJob({ job: "flights", backend, checkpoints: storage, ...options } as never);
    expect(await refusalOf(refused)).toBe(expected);
    expect(await readObjects(storage)).toEqual(before);
  });

  it.each([0, -1, 1.5, 32_769, Number.NaN])("maxParallelism %d", async (maxParallelism) => {
    expect(await refusalOf(() => declare("a", { maxParallelism }))).toBe("RangeError");
  });
});

describe("a place that does not take more", () => {
  it("T25 a newer owner: the older one is fenced, and everything stays", async () => {
    const { storage } = await place();
    const older = await open(airports, storage);
    const newer = await open(airports, storage);
    older.states.count.set("ATL", 99);
    expect(await refusalOf(() => older.checkpoint())).toBe("FENCED");
    expect(await refusalOf(() => older.states.count.get("ATL"))).toBe("FENCED");
    expect(newer.states.count.getSync("ATL")).toBe(1);
    await newer.checkpoint();
    await newer.close();
    expect((await open(airports, storage)).states.count.getSync("ATL")).toBe(1);
  });

  it("T19 memory that is full: the checkpoint fails, and the next one has it all", async () => {
    const storage = memoryStorage({ objectBytesMax: 4000 });
    const task = await open(airports, storage);
    for (let index = 0; index < 20; index++) task.states.seen.add("a", "x".repeat(300));
    expect(await refusalOf(() => task.checkpoint())).toBe("LIMIT_EXCEEDED");
    expect(await refusalOf(() => task.checkpoint())).toBe("LIMIT_EXCEEDED");
    task.states.seen.set("a", ["small"]);
    await task.checkpoint({ full: true });
    await task.close();
    expect((await open(airports, storage)).states.seen.getSync("a")).toEqual(["small"]);
  });

  it("T19 a full disk, at every file operation: nothing is lost, and it heals", async () => {
    for (let index = 0; ; index++) {
      const files = new FaultFiles();
      const disk = diskPlace(files);
      const task = await open(airports, disk.open());
      task.states.count.set("ATL", 1);
      await task.checkpoint();
      task.states.count.set("ATL", 2);
      const from = files.plan.count + index;
      const isWrite = /^(create|write|link|makeDirectory)$/;
      files.plan.inject(
        { kind: "error", code: "ENOSPC" },
        {
          when: (call) => call.index >= from && isWrite.test(call.operation),
          times: Number.POSITIVE_INFINITY,
        },
      );
      const refused = await settled(task.checkpoint());
      files.plan.heal();
      if ("error" in refused) {
        expect(outcomeText(refused)).toMatch(/^found (UNAVAILABLE|LIMIT_EXCEEDED)/);
        await task.checkpoint();
      }
      await task.close();
      const again = await open(airports, disk.open());
      expect(again.states.count.getSync("ATL")).toBe(2);
      if (!("error" in refused)) return;
    }
  });
});
