import { describe, expect, test } from "vitest";
import {
  aggregating,
  type Codec,
  defineOperator,
  list,
  memoryStorage,
  namespaced,
  openTask,
  reducing,
  string,
  structured,
  value,
} from "../src/index.js";
import { ManualClock } from "./support/manual-clock.js";

interface Texts {
  readonly texts: readonly string[];
}

const texts = {
  create: (): Texts => ({ texts: [] }),
  add: (input: string, accumulator: Texts): Texts => ({ texts: [...accumulator.texts, input] }),
  result: (accumulator: Texts): string => accumulator.texts.join(""),
};

/** Refuses to encode what ends with "!", and to take over what ends with "?". */
const picky: Codec<string> = {
  ...structured<string>(),
  own: (given) => {
    if (given.endsWith("?")) throw new RangeError("own");
    return given;
  },
  write: (stored, out) => {
    if (stored.endsWith("!")) throw new RangeError("write");
    structured<string>().write(stored, out);
  },
};

/** What `join` appends: makes the codec refuse what was joined. */
let breaks = "";

function join(left: string, right: string): string {
  if (right === "throw") throw new RangeError("reduce");
  return left + right + breaks;
}

const OPERATOR = defineOperator("windows", {
  key: string(),
  maxParallelism: 6,
  states: {
    list: namespaced(string(), list<string>()),
    reducing: namespaced(string(), reducing<string>(join, { codec: picky })),
    aggregating: namespaced(
      string(),
      aggregating({
        ...texts,
        merge: (left: Texts, right: Texts): Texts => ({ texts: [...left.texts, ...right.texts] }),
      }),
    ),
    without: namespaced(string(), aggregating(texts)),
    value: namespaced(string(), value<string>()),
  },
});

const backendOf = (checkpoints = memoryStorage()) => ({ name: "memory", sync: true, checkpoints }) as const;
const opened = async (checkpoints = memoryStorage()) =>
  openTask(OPERATOR, { job: "job", backend: backendOf(checkpoints), clock: new ManualClock(), retain: 3 });

const KINDS = ["list", "reducing", "aggregating"] as const;
type Task = Awaited<ReturnType<typeof opened>>;
type Kind = (typeof KINDS)[number];

function add(task: Task, kind: Kind, namespace: string, text: string): void {
  if (kind === "list") task.list.in(namespace).add("k", text);
  else task[kind].in(namespace).addSync("k", text);
}

function read(task: Task, kind: Kind, namespace: string): string {
  if (kind === "list") return task.list.in(namespace).getSync("k").join("");
  return task[kind].in(namespace).getSync("k") ?? "";
}

/** Elements of the namespaces "1" (the target), "2" and "3". */
const SHAPES = [
  ["spread over three", [["a", "b"], ["c"], ["d", "e"]]],
  ["one of them empty", [["a"], [], ["d", "e"]]],
  ["all empty", [[], [], []]],
  ["all in the target", [["a", "b", "c"], [], []]],
  ["all in one source", [[], [], ["a", "b", "c"]]],
] as const;

describe.each(KINDS)("T33 merging namespaces of %s state", (kind) => {
  for (const [shape, contents] of SHAPES) {
    test.each(["mergeNamespaces", "mergeNamespacesSync"] as const)(`T33 ${shape}: %s`, async (method) => {
      const storage = memoryStorage();
      const task = await opened(storage);
      for (const [at, each] of contents.entries()) for (const text of each) add(task, kind, `${at + 1}`, text);
      // Elements from before and after a barrier are merged alike, and what is frozen stays as it is.
      const before = await task.checkpoint();
      add(task, kind, "other", "x");
      await task[kind][method]("k", "1", ["2", "3"]);
      const expected = contents.flat().join("");
      const namespaces = ["1", "2", "3", "other"];
      expect(namespaces.map((each) => read(task, kind, each))).toEqual([expected, "", "", "x"]);
      expect([...task[kind].in("2").keysSync(), ...task[kind].in("3").keysSync()]).toEqual([]);
      expect([...task[kind].in("1").keysSync()]).toEqual(expected === "" ? [] : ["k"]);
      await task.checkpoint();
      await task.close();
      const restored = await opened(storage);
      expect(namespaces.map((each) => read(restored, kind, each))).toEqual([expected, "", "", "x"]);
      await restored.close();
      const restore = { from: storage, job: "job", checkpoint: before.id };
      const older = await openTask(OPERATOR, { job: "b", backend: backendOf(), clock: new ManualClock(), restore });
      expect(["1", "2", "3"].map((each) => read(older, kind, each))).toEqual(contents.map((each) => each.join("")));
    });
  }

  test("T33 takes the sources in the order given, each once, and the target not as a source", async () => {
    const task = await opened();
    for (const namespace of ["1", "2", "3"]) add(task, kind, namespace, namespace);
    task[kind].mergeNamespacesSync("k", "2", ["3", "2", "1", "3"]);
    expect(read(task, kind, "2")).toBe("231");
    task[kind].mergeNamespacesSync("k", "2", ["2"]);
    task[kind].mergeNamespacesSync("k", "2", []);
    expect(["1", "2", "3"].map((each) => read(task, kind, each))).toEqual(["", "231", ""]);
  });

  test("T33 refuses a namespace or a key before anything changes", async () => {
    const task = await opened();
    for (const namespace of ["1", "2"]) add(task, kind, namespace, namespace);
    const refused = { code: "VALUE_INVALID" };
    await expect(task[kind].mergeNamespaces("k", "1", ["2", "\ud800"])).rejects.toMatchObject(refused);
    await expect(task[kind].mergeNamespaces("k", "\ud800", ["2"])).rejects.toMatchObject(refused);
    await expect(task[kind].mergeNamespaces("\ud800", "1", ["2"])).rejects.toMatchObject(refused);
    expect(["1", "2"].map((each) => read(task, kind, each))).toEqual(["1", "2"]);
    await task.close();
    expect(() => task[kind].mergeNamespacesSync("k", "1", [])).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });
});

describe("T34 merging that fails", () => {
  test.each([
    ["reduce", "throw"],
    ["own", "?"],
    ["write", "!"],
  ])("T34 changes nothing if %s throws", async (message, last) => {
    const task = await opened();
    const namespaces = ["0", "1", "2"];
    const given = ["a", "b", last];
    for (const [at, text] of given.entries()) {
      task.reducing.in(`${at}`).addSync("k", text === "throw" ? text : `x${at}`);
    }
    breaks = last;
    const stored = (): unknown[] => namespaces.map((each) => task.reducing.in(each).getSync("k"));
    const before = stored();
    expect(() => task.reducing.mergeNamespacesSync("k", "0", namespaces)).toThrow(message);
    breaks = "";
    expect(stored()).toEqual(before);
    await task.checkpoint();
  });

  test("T34 an aggregate without merge is a TypeError that says what to do", async () => {
    const task = await opened();
    task.without.in("1").addSync("k", "a");
    task.without.in("2").addSync("k", "b");
    expect(() => task.without.mergeNamespacesSync("k", "1", ["2"])).toThrow(TypeError);
    await expect(task.without.mergeNamespaces("k", "1", [])).rejects.toThrow("Declare the aggregate with merge");
    expect(["1", "2"].map((each) => task.without.in(each).getSync("k"))).toEqual(["a", "b"]);
  });

  test("T33 only states that fold or append can be merged", async () => {
    const task = await opened();
    expect("mergeNamespaces" in task.value || "mergeNamespacesSync" in task.value).toBe(false);
  });
});
