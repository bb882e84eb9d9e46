import { describe, expect, test } from "vitest";
import {
  defineOperator,
  evolvedKey,
  formerKey,
  type KeyCodec,
  type KeyGroups,
  memoryStorage,
  number,
  openTask,
  splitKeyGroups,
  string,
  tuple,
  value,
} from "../src/index.js";
import { objectsOf } from "./support/objects.js";
import { fromString, type Keyed, lower, plain, written } from "./support/string-keyed-job.js";

describe("what is refused", () => {
  const INCOMPATIBLE = "STATE_INCOMPATIBLE";

  async function refused<K>(keyed: Keyed<K>, message: RegExp): Promise<unknown> {
    const storage = await written();
    const running = await plain({ key: string() }, storage);
    const objects = await objectsOf(storage);
    const error: unknown = await plain(keyed, storage).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: INCOMPATIBLE, message: expect.stringMatching(message) as unknown });
    expect(await objectsOf(storage)).toEqual(objects);
    running.n.set("1", "still");
    await running.checkpoint();
    return error;
  }

  test("T73 another codec that is not taken over", async () => {
    await refused({ key: number() }, /"op".*number version 1.*string version 1.*evolvedKey/);
    await refused({ key: string(), field: lower }, /"m".*field codec|field codec.*"m"/);
    await refused({ key: string(), namespace: lower }, /namespace codec.*"w".*evolvedKey/);
    await refused(
      {
        key: evolvedKey(
          number(),
          formerKey(tuple(string()), ([old]) => Number(old)),
        ),
      },
      /key codec/,
    );
  });

  test("T74 a migration or a former codec that throws, naming state and key", async () => {
    const reason = new Error("not this one");
    const strict = (wanted: string) => (old: string) => {
      if (old === wanted) throw reason;
      return old;
    };
    const key = fromString(lower, strict("17"));
    expect(await refused({ key }, /key could not be.*"op".*state="[nmw]".*"17"/)).toMatchObject({ cause: reason });
    const field = fromString(lower, strict("c"));
    expect(await refused({ key: string(), field }, /field could not.*"m".*"c"/)).toMatchObject({ cause: reason });
    const namespace = fromString(lower, strict("First"));
    expect(await refused({ key: string(), namespace }, /namespace could not.*"w".*"First"/)).toMatchObject({
      cause: reason,
    });
    const broken = {
      ...string(),
      decode: () => {
        throw reason;
      },
    };
    const unread = evolvedKey(number(), formerKey(broken as KeyCodec<string>, Number));
    expect(await refused({ key: unread }, /key could not.*"bytes [0-9a-f]+/)).toMatchObject({ cause: reason });
  });

  test("T74 a key that the codec cannot keep", async () => {
    const error = await refused({ key: fromString(number(), () => "text" as never) }, /key could not be/);
    expect(error).toMatchObject({ cause: { code: "VALUE_INVALID" } });
  });

  test("T75 two keys that become one, naming state and both", async () => {
    await refused(
      { key: fromString(number(), (old) => Number(old) % 49) },
      /Two keys.*state=.*first="(0|49)" second="(0|49)"/,
    );
    const one = fromString(lower, () => "one");
    await refused({ key: string(), field: one }, /Two fields.*"m".*first="Ab" second="c"/);
    await refused({ key: string(), namespace: one }, /Two namespaces.*"w".*first="First" second="second"/);
  });

  test("T75 also where no state has both", async () => {
    const storage = memoryStorage();
    const task = await plain({ key: string() }, storage);
    task.n.set("1", "x");
    task.m.set("1.0", "f", "x");
    await task.checkpoint();
    await task.close();
    await expect(plain({ key: fromString(number(), Number) }, storage)).rejects.toMatchObject({ code: INCOMPATIBLE });
  });

  test("T75 namespaces and fields of different keys may become one", async () => {
    const storage = memoryStorage();
    const task = await plain({ key: string() }, storage);
    task.w.in("A").set("k", "1");
    task.w.in("a").set("l", "2");
    await task.checkpoint();
    await task.close();
    const namespace = fromString(lower, (old) => old.toLowerCase());
    const after = await plain({ key: string(), namespace }, storage);
    expect([after.w.in("a").getSync("k"), after.w.in("a").getSync("l")]).toEqual(["1", "2"]);
  });

  test("T73 a checkpoint of some of the key groups, since a key may come from any", async () => {
    const operator = defineOperator("op", { key: string(), states: { n: value<string>() }, maxParallelism: 8 });
    const storage = memoryStorage();
    const options = { job: "job", backend: { name: "memory", sync: true, checkpoints: storage } as const };
    const [keyGroups] = splitKeyGroups(8, 2);
    const half = await openTask(operator, { ...options, keyGroups: keyGroups as KeyGroups });
    await half.checkpoint();
    await half.close();
    const moved = defineOperator("op", { ...operator, key: fromString(number(), Number) });
    await expect(openTask(moved, { ...options, keyGroups: keyGroups as KeyGroups })).rejects.toMatchObject({
      code: INCOMPATIBLE,
    });
  });

  test("T70 a former key codec needs its parts, and another name than the current one", () => {
    expect(() => formerKey(undefined as never, Number)).toThrow(TypeError);
    expect(() => formerKey(string(), undefined as never)).toThrow(TypeError);
    expect(() => evolvedKey(string(), formerKey(string(), String))).toThrow(/"string" version=1/);
  });
});
