import { describe, expect, test } from "vitest";
import { decodeManifest } from "../src/checkpoint/manifest.js";
import {
  broadcast,
  type CheckpointStorage,
  type Codec,
  defineOperator,
  evolved,
  former,
  integer,
  keyGroupOf,
  KeyGroups,
  list,
  map,
  memoryStorage,
  namespaced,
  openJob,
  openTask,
  reducing,
  splitKeyGroups,
  splitList,
  type StateDescriptors,
  string,
  structured,
  text,
  unionList,
  value,
} from "../src/index.js";
import { objectsOf } from "./support/objects.js";

interface Money {
  readonly cents: number;
}

const money = (): Codec<Money> => ({ ...structured<Money>(), id: "money", version: 3 });
const euros = evolved(
  integer(),
  former(text(), (old) => Number(old)),
);
const cents = evolved(
  money(),
  former(euros, (old) => ({ cents: old * 100 })),
);

const backendOf = (checkpoints: CheckpointStorage) => ({ name: "memory", sync: true, checkpoints }) as const;

function operatorOf<const States extends StateDescriptors>(states: States) {
  return defineOperator("op", { key: string(), states, maxParallelism: 8 });
}

function open<const States extends StateDescriptors>(states: States, storage: CheckpointStorage) {
  return openTask(operatorOf(states), { job: "job", backend: backendOf(storage), graceMs: 0 });
}

/** Every kind of state over one codec. */
function kinds<T>(codec: Codec<T>) {
  return {
    one: value({ codec }),
    many: list({ codec }),
    fields: map({ field: string(), codec }),
    latest: reducing((_before: T, added: T) => added, { codec }),
    inside: namespaced(string(), list({ codec })),
    split: splitList({ codec }),
    union: unionList({ codec }),
    everywhere: broadcast({ field: string(), codec }),
  };
}

type Kinds<T> = Awaited<ReturnType<typeof open<ReturnType<typeof kinds<T>>>>>;

async function fill<T>({ states }: Kinds<T>, [a, b]: readonly [T, T]): Promise<void> {
  states.one.set("k", a);
  states.many.addAll("k", [a, b]);
  states.fields.set("k", "a", a);
  states.fields.set("k", "b", b);
  await states.latest.add("k", b);
  states.inside.in("n").addAll("k", [b, a]);
  states.split.set([a, b]);
  states.union.set([b]);
  states.everywhere.set("f", a);
  await Promise.resolve();
}

function content<T>({ states }: Kinds<T>): unknown {
  return {
    one: states.one.getSync("k"),
    many: states.many.getSync("k"),
    fields: states.fields.entriesSync("k"),
    latest: states.latest.getSync("k"),
    inside: states.inside.in("n").getSync("k"),
    split: [...states.split.get()],
    union: [...states.union.get()],
    everywhere: [...states.everywhere.entries()],
  };
}

function expected<T>(a: T, b: T): unknown {
  return {
    one: a,
    many: [a, b],
    fields: [
      ["a", a],
      ["b", b],
    ],
    latest: b,
    inside: [b, a],
    split: [a, b],
    union: [b],
    everywhere: [["f", a]],
  };
}

async function manifests(storage: CheckpointStorage) {
  const found = [...(await objectsOf(storage))].filter(([name]) => /\/checkpoint\/[^/]+$/.test(name));
  return found
    .map(([name, bytes]) => decodeManifest(Buffer.from(bytes), name))
    .sort((a, b) => a.checkpoint - b.checkpoint);
}

async function formerOf(storage: CheckpointStorage): Promise<string[]> {
  const last = (await manifests(storage)).at(-1);
  const refs = last?.operators.flatMap(({ tasks }) => tasks.flatMap(({ segments }) => segments)) ?? [];
  return [...new Set(refs.flatMap((ref) => (ref.former ?? []).map(({ codec }) => codec.id)))].sort();
}

describe("values of a former codec", () => {
  test("T65 are read as values of today in every kind of state", async () => {
    const storage = memoryStorage();
    const before = await open(kinds(text()), storage);
    await fill(before, ["1", "2"]);
    await before.checkpoint();
    await before.close();
    const after = await open(kinds(euros), storage);
    expect(content(after)).toEqual(expected(1, 2));
  });

  test("T65 go through every declared step", async () => {
    const storage = memoryStorage();
    const before = await open(kinds(text()), storage);
    await fill(before, ["1", "2"]);
    await before.checkpoint();
    await before.close();
    const after = await open(kinds(cents), storage);
    expect(content(after)).toEqual(expected({ cents: 100 }, { cents: 200 }));
  });

  test("T65 are dealt out to other tasks as values of today", async () => {
    const storage = memoryStorage();
    const before = await open(kinds(text()), storage);
    await fill(before, ["1", "2"]);
    await before.checkpoint();
    await before.close();
    const operator = operatorOf(kinds(euros));
    const halves = splitKeyGroups(8, 2).map((keyGroups) => ({ operator, keyGroups }));
    const { tasks } = await openJob({ job: "job", backend: backendOf(storage), tasks: halves });
    const owner = tasks.find(({ keyGroups }) => keyGroups.has(keyGroupOf(string().hash("k"), 8)));
    expect(owner?.states.one.getSync("k")).toBe(1);
    expect(tasks.map(({ states }) => [...states.split.get()])).toEqual([[1], [2]]);
    expect(tasks.map(({ states }) => [...states.union.get()])).toEqual([[2], [2]]);
    expect(tasks.map(({ states }) => [...states.everywhere.entries()])).toEqual([[["f", 1]], [["f", 1]]]);
  });

  test("T66 stay in their segments until these are rewritten, and a full checkpoint leaves none", async () => {
    const storage = memoryStorage();
    const first = await open({ n: value({ codec: text() }) }, storage);
    for (let i = 0; i < 200; i++) first.n.set(`k${i}`, String(i));
    await first.checkpoint();
    await first.close();
    expect(await formerOf(storage)).toEqual([]);

    const second = await open({ n: value({ codec: euros }) }, storage);
    second.n.set("k0", 1000);
    await second.checkpoint();
    await second.close();
    expect(await formerOf(storage)).toEqual(["text"]);

    const third = await open({ n: value({ codec: cents }) }, storage);
    third.n.set("k1", { cents: 5 });
    await third.checkpoint();
    expect(await formerOf(storage)).toEqual(["integer", "text"]);
    const wanted = (i: number): Money => ({ cents: i === 0 ? 100_000 : i === 1 ? 5 : i * 100 });
    for (let i = 0; i < 200; i++) expect(third.n.getSync(`k${i}`)).toEqual(wanted(i));
    await third.close();

    const fourth = await open({ n: value({ codec: cents }) }, storage);
    for (let i = 0; i < 200; i++) expect(fourth.n.getSync(`k${i}`)).toEqual(wanted(i));
    await fourth.checkpoint({ full: true });
    await fourth.close();
    expect(await formerOf(storage)).toEqual([]);
    const fifth = await open({ n: value({ codec: money() }) }, storage);
    for (let i = 0; i < 200; i++) expect(fifth.n.getSync(`k${i}`)).toEqual(wanted(i));
  });

  test("T66 survive merges of mixed segments, at every checkpoint of a long chain", async () => {
    const storage = memoryStorage();
    const model = new Map<string, number[]>();
    let task = await open({ l: list({ codec: text() }) }, storage);
    for (let i = 0; i < 300; i++) {
      task.l.add(`k${i}`, String(i));
      model.set(`k${i}`, [i]);
    }
    await task.checkpoint();
    for (let i = 0; i < 5; i++) {
      task.l.add(`k${i}`, "7");
      model.get(`k${i}`)?.push(7);
      await task.checkpoint();
    }
    await task.close();
    for (let round = 0; round < 30; round++) {
      const next = await open({ l: list({ codec: euros }) }, storage);
      for (const [key, elements] of model) expect(next.l.getSync(key)).toEqual(elements);
      next.l.add(`k${round * 3}`, round);
      model.get(`k${round * 3}`)?.push(round);
      if (round % 4 === 0) {
        next.l.set(`k${round + 100}`, [round]);
        model.set(`k${round + 100}`, [round]);
      }
      await next.checkpoint();
      await next.close();
    }
    task = await open({ l: list({ codec: text() }) }, memoryStorage());
    expect(task.l.getSync("k0")).toEqual([]);
  });

  test("T66 a savepoint has none", async () => {
    const storage = memoryStorage();
    const first = await open(kinds(text()), storage);
    await fill(first, ["1", "2"]);
    await first.checkpoint();
    await first.close();
    const second = await open(kinds(euros), storage);
    const target = memoryStorage();
    await second.savepoint(target);
    const operator = operatorOf(kinds(integer()));
    const third = await openTask(operator, {
      job: "other",
      backend: backendOf(memoryStorage()),
      restore: { savepoint: target },
    });
    expect(content(third)).toEqual(expected(1, 2));
  });

  test("T66 a savepoint of before is migrated as it is copied", async () => {
    const first = await open(kinds(text()), memoryStorage());
    await fill(first, ["1", "2"]);
    const target = memoryStorage();
    await first.savepoint(target);
    const storage = memoryStorage();
    const options = { job: "other", backend: backendOf(storage) };
    const second = await openTask(operatorOf(kinds(euros)), { ...options, restore: { savepoint: target } });
    await second.checkpoint();
    await second.close();
    expect(await formerOf(storage)).toEqual([]);
    const third = await openTask(operatorOf(kinds(integer())), options);
    expect(content(third)).toEqual(expected(1, 2));
  });
});

describe("what does not fit", () => {
  const INCOMPATIBLE = { code: "STATE_INCOMPATIBLE" };

  async function written(): Promise<CheckpointStorage> {
    const storage = memoryStorage();
    const task = await open({ n: value({ codec: text() }) }, storage);
    for (let i = 0; i < 50; i++) task.n.set(`k${i}`, String(i));
    await task.checkpoint();
    await task.close();
    return storage;
  }

  test.each(["one", "many", "fields", "latest", "inside", "split", "union", "everywhere"] as const)(
    "T67 another value codec of %s is refused, and nothing changes",
    async (name) => {
      const storage = memoryStorage();
      const before = await open(kinds(text()), storage);
      await fill(before, ["1", "2"]);
      await before.checkpoint();
      await before.close();
      const objects = await objectsOf(storage);
      const opened = open({ ...kinds(text()), [name]: kinds(integer())[name] }, storage);
      await expect(opened).rejects.toMatchObject({
        ...INCOMPATIBLE,
        message: expect.stringMatching(
          new RegExp(`"op".*"${name}".*"integer version 1".*"text version 1".*evolved`),
        ) as unknown,
      });
      expect(await objectsOf(storage)).toEqual(objects);
    },
  );

  test("T67 a former codec that is no longer declared is refused while segments have it", async () => {
    const storage = await written();
    const second = await open({ n: value({ codec: euros }) }, storage);
    second.n.set("k1", 4);
    await second.checkpoint();
    await second.close();
    await expect(open({ n: value({ codec: integer() }) }, storage)).rejects.toMatchObject(INCOMPATIBLE);
    await expect(open({}, storage)).rejects.toMatchObject(INCOMPATIBLE);
    expect((await open({ n: value({ codec: euros }) }, storage)).n.getSync("k2")).toBe(2);
  });

  test("T67 the codec of before may come back if it takes over what came after it", async () => {
    const storage = await written();
    const second = await open({ n: value({ codec: euros }) }, storage);
    second.n.set("k1", 4);
    await second.checkpoint();
    await second.close();
    const back = evolved(text(), former(integer(), String));
    const third = await open({ n: value({ codec: back }) }, storage);
    expect([third.n.getSync("k1"), third.n.getSync("k2")]).toEqual(["4", "2"]);
    third.n.set("k3", "x");
    await third.checkpoint();
    expect(await formerOf(storage)).toEqual(["integer"]);
  });

  test("T68 a migration that throws names the key and fences nobody", async () => {
    const storage = await written();
    const running = await open({ n: value({ codec: text() }) }, storage);
    const objects = await objectsOf(storage);
    const reason = new Error("not this one");
    const strict = evolved(
      integer(),
      former(text(), (old) => {
        if (old === "17") throw reason;
        return Number(old);
      }),
    );
    await expect(open({ n: value({ codec: strict }) }, storage)).rejects.toMatchObject({
      ...INCOMPATIBLE,
      message: expect.stringMatching(/"op".*"n".*"k17".*"text version 1".*"integer version 1"/) as unknown,
      cause: reason,
    });
    expect(await objectsOf(storage)).toEqual(objects);
    running.n.set("k17", "18");
    await running.checkpoint();
    // The segment of before still has the value that was replaced.
    await expect(open({ n: value({ codec: strict }) }, storage)).rejects.toMatchObject(INCOMPATIBLE);
    await running.checkpoint({ full: true });
    await running.close();
    expect((await open({ n: value({ codec: strict }) }, storage)).n.getSync("k17")).toBe(18);
  });

  test("T68 a migrated value that the codec cannot keep is refused", async () => {
    const storage = await written();
    const wrong = evolved(
      integer(),
      former(text(), () => 0.5),
    );
    await expect(open({ n: value({ codec: wrong }) }, storage)).rejects.toMatchObject({
      ...INCOMPATIBLE,
      cause: { code: "VALUE_INVALID" },
    });
  });

  test("T68 a former codec that leaves bytes unread is refused", async () => {
    const storage = await written();
    const careless: Codec<string> = { ...text(), read: () => "1" };
    const codec = evolved(integer(), former(careless, Number));
    await expect(open({ n: value({ codec }) }, storage)).rejects.toMatchObject(INCOMPATIBLE);
  });

  test("T65 a former codec needs its parts, and another name than the current one", () => {
    expect(() => former(undefined as never, Number)).toThrow(TypeError);
    expect(() => former(text(), undefined as never)).toThrow(TypeError);
    expect(() => evolved(text(), former(text(), String))).toThrow(/"text" version=1/);
  });

  test("T65 key groups in part", async () => {
    const storage = await written();
    const keyGroups = KeyGroups.of([
      { first: keyGroupOf(string().hash("k3"), 8), last: keyGroupOf(string().hash("k3"), 8) },
    ]);
    const operator = operatorOf({ n: value({ codec: euros }) });
    const task = await openTask(operator, { job: "job", backend: backendOf(storage), keyGroups });
    expect(task.n.getSync("k3")).toBe(3);
  });
});
