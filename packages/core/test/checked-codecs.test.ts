/** Codecs that check what is stored, `validated` and `avro`, in every kind of state and over restores. */

import avsc from "avsc";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  aggregating,
  avro,
  broadcast,
  type CheckpointStorage,
  type Codec,
  defineOperator,
  evolved,
  former,
  integer,
  json,
  list,
  map,
  memoryStorage,
  namespaced,
  openTask,
  reducing,
  splitList,
  type StateDescriptors,
  string,
  structured,
  text,
  unionList,
  validated,
  value,
} from "../src/index.js";
import { objectsOf } from "./support/objects.js";

interface Item {
  readonly name: string;
  readonly count: number;
}

const type = (...more: object[]): avsc.Type =>
  avsc.Type.forSchema({
    type: "record",
    name: "Item",
    fields: [{ name: "name", type: "string" }, { name: "count", type: "int" }, ...more],
  } as avsc.Schema);

const codecs: Record<string, Codec<Item>> = {
  zod: validated(json(), z.object({ name: z.string(), count: z.int() })),
  valibot: validated(structured(), v.object({ name: v.string(), count: v.pipe(v.number(), v.integer()) })),
  avro: avro(type(), { version: 1 }),
  "zod over avro": validated(avro<Item>(type(), { version: 1 }), z.object({ name: z.string(), count: z.number() })),
};

function kinds(codec: Codec<Item>) {
  return {
    one: value({ codec }),
    many: list({ codec }),
    fields: map({ field: string(), codec }),
    most: reducing((a: Item, b: Item) => (a.count < b.count ? b : a), { codec }),
    sum: aggregating<Item, Item, number>(
      {
        create: () => ({ name: "", count: 0 }),
        add: ({ name, count }, sum) => ({ name, count: sum.count + count }),
        result: ({ count }) => count,
        merge: (a, b) => ({ name: b.name, count: a.count + b.count }),
      },
      { codec },
    ),
    inside: namespaced(string(), list({ codec })),
    split: splitList({ codec }),
    union: unionList({ codec }),
    everywhere: broadcast({ field: string(), codec }),
  };
}

function open<const States extends StateDescriptors>(states: States, storage: CheckpointStorage) {
  const operator = defineOperator("op", { key: string(), states, maxParallelism: 8 });
  return openTask(operator, {
    job: "job",
    backend: { name: "memory", sync: true, checkpoints: storage } as const,
    graceMs: 0,
  });
}

const openKinds = (codec: Codec<Item>, storage: CheckpointStorage) => open(kinds(codec), storage);
type Opened = Awaited<ReturnType<typeof openKinds>>;

const A: Item = { name: "a", count: 1 };
const B: Item = { name: "b", count: 2 };
/** What the schemas and the type refuse, and the compiler does not. */
const WRONG: Item = { name: "wrong", count: 0.5 };

const writes: Record<string, (task: Opened, given: Item) => void> = {
  "value.set": ({ one }, given) => one.set("k", given),
  "list.addAll": ({ many }, given) => many.addAll("k", [A, given, B]),
  "list.set": ({ many }, given) => many.set("k", [A, given, B]),
  "map.set": ({ fields }, given) => fields.set("k", "f", given),
  "map.setAll": ({ fields }, given) =>
    fields.setAll("k", [
      ["g", A],
      ["f", given],
    ]),
  "reducing.add": ({ most }, given) => most.addSync("k", given),
  "aggregating.add": ({ sum }, given) => sum.addSync("k", given),
  "list.add in a namespace": ({ inside }, given) => inside.in("n").add("k", given),
  "splitList.set": ({ split }, given) => split.set([given, A]),
  "unionList.add": ({ union }, given) => union.add(given),
  "broadcast.set": ({ everywhere }, given) => everywhere.set("f", given),
};

const content = ({ states }: Opened): unknown => [
  states.one.getSync("k"),
  states.many.getSync("k"),
  [...states.fields.entriesSync("k")],
  states.most.getSync("k"),
  states.sum.getSync("k"),
  states.inside.in("n").getSync("k"),
  [...states.split.get()],
  [...states.union.get()],
  [...states.everywhere.entries()],
];

const FILLED = [
  B,
  [A, B, B],
  [
    ["f", B],
    ["g", A],
  ],
  B,
  2,
  [B],
  [B, A],
  [B],
  [["f", B]],
];

function fill(task: Opened): void {
  for (const write of Object.values(writes)) write(task, B);
}

describe.each(Object.entries(codecs))("%s", (_, codec) => {
  test("T130 T134 values of every kind of state come back, before and after a restore", async () => {
    const storage = memoryStorage();
    const before = await openKinds(codec, storage);
    fill(before);
    expect(content(before)).toStrictEqual(FILLED);
    await before.checkpoint();
    await before.close();
    const after = await openKinds(codec, storage);
    expect(content(after)).toStrictEqual(FILLED);
  });

  test.each(Object.entries(writes))("T3 T131 T135 %s that is refused changes nothing", async (_name, write) => {
    const task = await openKinds(codec, memoryStorage());
    const empty = content(task);
    expect(() => write(task, WRONG)).toThrow(expect.objectContaining({ code: "VALUE_INVALID" }));
    expect(content(task)).toStrictEqual(empty);
    fill(task);
    expect(() => write(task, WRONG)).toThrow(expect.objectContaining({ code: "VALUE_INVALID" }));
    expect(content(task)).toStrictEqual(FILLED);
    await task.checkpoint();
  });

  test("T131 T135 an update that gives what is refused rejects and changes nothing", async () => {
    const task = await openKinds(codec, memoryStorage());
    task.one.set("k", A);
    await expect(task.one.update("k", () => WRONG)).rejects.toMatchObject({ code: "VALUE_INVALID" });
    expect(task.one.getSync("k")).toEqual(A);
    await task.one.update("k", (now) => ({ ...(now as Item), count: 7 }));
    expect(task.one.getSync("k")).toEqual({ name: "a", count: 7 });
  });

  test("T34 T131 T135 accumulators that are merged into what is refused stay as they are", async () => {
    const { sum } = kinds(codec);
    const task = await open(
      { sum: namespaced(string(), { ...sum, aggregate: { ...sum.aggregate, merge: () => WRONG } }) },
      memoryStorage(),
    );
    task.sum.in("a").addSync("k", A);
    task.sum.in("b").addSync("k", B);
    expect(() => task.sum.mergeNamespacesSync("k", "a", ["b"])).toThrow(
      expect.objectContaining({ code: "VALUE_INVALID" }),
    );
    expect([task.sum.in("a").getSync("k"), task.sum.in("b").getSync("k")]).toEqual([1, 2]);
  });
});

describe("T133 a schema over what is stored", () => {
  test("T133 comes, changes and goes without a migration, and reading does not ask it", async () => {
    const storage = memoryStorage();
    const small = z.object({ name: z.string(), count: z.number().max(1) });
    const history: Codec<Item>[] = [json(), validated(json(), small), validated(json(), z.never() as never), json()];
    for (const [index, codec] of history.entries()) {
      const task = await openKinds(codec, storage);
      if (index === 0) fill(task);
      expect(content(task)).toStrictEqual(FILLED);
      if (index > 0 && index < 3) expect(() => task.one.set("k", B)).toThrow(/does not fit its schema/);
      await task.checkpoint({ full: index === 2 });
      await task.close();
    }
  });

  test("T132 T133 an asynchronous schema is found out by the first write, which changes nothing", async () => {
    const task = await openKinds(
      validated(
        json(),
        v.pipeAsync(
          v.custom<Item>(() => true),
          v.checkAsync(async () => Promise.resolve(true)),
        ),
      ),
      memoryStorage(),
    );
    const empty = content(task);
    for (const write of Object.values(writes)) expect(() => write(task, A)).toThrow(TypeError);
    expect(content(task)).toStrictEqual(empty);
  });

  test.each(["inside evolved", "around evolved"])("T68 T133 migrated values are validated, %s", async (where) => {
    const storage = memoryStorage();
    const before = await open({ n: value({ codec: text() }) }, storage);
    before.n.set("good", "10");
    before.n.set("bad", "11");
    await before.checkpoint();
    const objects = await objectsOf(storage);
    const numbers = former(text(), Number);
    const within = (max: number): Codec<number> =>
      where === "inside evolved"
        ? evolved(validated(integer(), z.number().max(max)), numbers)
        : validated(evolved(integer(), numbers), z.number().max(max));
    await expect(open({ n: value({ codec: within(10) }) }, storage)).rejects.toMatchObject({
      code: "STATE_INCOMPATIBLE",
      message: expect.stringContaining('key="bad"') as unknown,
      cause: { code: "VALUE_INVALID" },
    });
    expect(await objectsOf(storage)).toEqual(objects);
    await before.close();
    const after = await open({ n: value({ codec: within(11) }) }, storage);
    expect([after.n.getSync("good"), after.n.getSync("bad")]).toEqual([10, 11]);
  });
});

describe("T136 Avro types that follow each other", () => {
  const tags = { name: "tags", type: { type: "array", items: "string" }, default: ["none"] };
  interface Tagged extends Item {
    readonly tags: readonly string[];
  }
  const tagged = avro<Tagged>(type(tags), { version: 2, from: [{ version: 1, type: type() }] });
  const withTags = (item: Item): Tagged => ({ ...item, tags: ["none"] });

  test("T65 T136 values of every kind of state are read by schema resolution", async () => {
    const storage = memoryStorage();
    const before = await openKinds(codecs["avro"] as Codec<Item>, storage);
    fill(before);
    await before.checkpoint();
    await before.close();
    const after = await openKinds(tagged, storage);
    const a = withTags(A);
    const b = withTags(B);
    expect(content(after)).toStrictEqual([
      b,
      [a, b, b],
      [
        ["f", b],
        ["g", a],
      ],
      b,
      2,
      [b],
      [b, a],
      [b],
      [["f", b]],
    ]);
  });

  test("T66 T136 a full checkpoint leaves none of the old type", async () => {
    const storage = memoryStorage();
    const first = await open({ n: value({ codec: codecs["avro"] as Codec<Item> }) }, storage);
    for (let i = 0; i < 100; i++) first.n.set(`k${i}`, { name: `${i}`, count: i });
    await first.checkpoint();
    await first.close();
    const second = await open({ n: value({ codec: tagged }) }, storage);
    second.n.set("k1", { ...A, tags: [] });
    await second.checkpoint();
    expect(second.n.getSync("k2")).toStrictEqual({ name: "2", count: 2, tags: ["none"] });
    await second.checkpoint({ full: true });
    await second.close();
    const third = await open({ n: value({ codec: avro<Tagged>(type(tags), { version: 2 }) }) }, storage);
    for (let i = 2; i < 100; i++) {
      expect(third.n.getSync(`k${i}`)).toStrictEqual({ name: `${i}`, count: i, tags: ["none"] });
    }
    expect(third.n.getSync("k1")).toStrictEqual({ ...A, tags: [] });
  });

  test("T67 T136 an old type that is not declared is refused", async () => {
    const storage = memoryStorage();
    const before = await open({ n: value({ codec: codecs["avro"] as Codec<Item> }) }, storage);
    before.n.set("k", A);
    await before.checkpoint();
    await before.close();
    await expect(open({ n: value({ codec: avro(type(tags), { version: 2 }) }) }, storage)).rejects.toMatchObject({
      code: "STATE_INCOMPATIBLE",
      message: expect.stringContaining('"avro:Item version 1"') as unknown,
    });
  });

  test("T134 no reader of a state can change its bytes", async () => {
    const codec = avro<{ readonly bytes: Buffer }>(
      avsc.Type.forSchema({ type: "record", name: "Blob", fields: [{ name: "bytes", type: "bytes" }] }),
      { version: 1 },
    );
    const task = await open(
      { one: value({ codec }), many: list({ codec }), fields: map({ field: string(), codec }) },
      memoryStorage(),
    );
    const given = { bytes: Buffer.from([1]) };
    task.one.set("k", given);
    task.many.add("k", given);
    task.fields.set("k", "f", given);
    const read = (): (Buffer | undefined)[] => [
      task.one.getSync("k")?.bytes,
      task.many.getSync("k")[0]?.bytes,
      task.fields.getSync("k", "f")?.bytes,
      [...task.fields.entriesSync("k")][0]?.[1].bytes,
    ];
    given.bytes.fill(2);
    for (const bytes of read()) new Uint8Array((bytes as Buffer).buffer).fill(3);
    expect(read()).toEqual(Array.from({ length: 4 }, () => Buffer.from([1])));
  });
});
