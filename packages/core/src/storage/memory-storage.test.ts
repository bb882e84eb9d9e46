/**
 * The clauses CS1 to CS9 of the contract of `CheckpointStorage`, as far as they say something of memory. The table of clauses is in
 * packages/filesystem/test/contract.test.ts.
 */

import { beforeEach, describe, expect, it } from "vitest";
import { Gate } from "../../test/support/gate.js";
import { objectsOf, readAll } from "../../test/support/objects.js";
import { seededRandom } from "../../test/support/seeded-random.js";
import type { CheckpointStorage } from "../contracts/checkpoint-storage.js";
import { memoryStorage } from "./memory-storage.js";

const bytes = (text: string): Uint8Array => Buffer.from(text);

async function* stream(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function listAll(storage: CheckpointStorage, prefix = ""): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of storage.list(prefix)) names.push(name);
  return names.sort();
}

async function readRange(storage: CheckpointStorage, start: number, end: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of storage.get("a", { start, end })) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe("contract on memory", () => {
  let storage: CheckpointStorage;

  beforeEach(() => {
    storage = memoryStorage();
  });

  const BAD_NAMES = ["", "/", "a/", "/a", "a//b", ".", "..", "a/../b", "A", "a b", "ä", "a\0", "~tmp/a", "a\\b", "a\n"];

  it.each([...BAD_NAMES, "x".repeat(121), "x/".repeat(512) + "x"])(
    "CS1 the name %j is refused everywhere",
    async (name) => {
      await expect(storage.put(name, bytes("x"))).rejects.toThrow(RangeError);
      await expect(readAll(storage, name)).rejects.toThrow(RangeError);
      await storage.put("good", bytes("x"));
      await expect(storage.remove(["good", name])).rejects.toThrow(RangeError);
      expect(await listAll(storage)).toEqual(["good"]);
    },
  );

  it.each(["a", "0", "...", "-", "_", "a.b-c_d", "0/1/2/3/4/5/6/7/8/9", `${"x".repeat(120)}/${"y".repeat(120)}`])(
    "CS1 the name %j is kept",
    async (name) => {
      await storage.put(name, bytes("x"));
      expect(await listAll(storage)).toEqual([name]);
      expect((await readAll(storage, name)).toString()).toBe("x");
    },
  );

  it.each(["a", "/", "a//", "../", "A/", "~tmp/", "a/b"])("CS1 the prefix %j is refused", async (prefix) => {
    await expect(listAll(storage, prefix)).rejects.toThrow(RangeError);
  });

  it("CS1 a name that continues an object's, or is continued by one, is refused", async () => {
    await storage.put("a/b", bytes("x"));
    await expect(storage.put("a/b/c", bytes("y"))).rejects.toThrow(RangeError);
    await expect(storage.put("a", bytes("y"))).rejects.toThrow(RangeError);
  });

  it.each([0, 1, 1_700_000])("CS2 a body of %i bytes is kept", async (length) => {
    const body = seededRandom(length).bytes(length);
    expect(await storage.put("a/b", body)).toBe("created");
    expect((await readAll(storage, "a/b")).equals(body)).toBe(true);
  });

  it("CS2 what was put may be changed by the caller", async () => {
    const body = Buffer.from("abc");
    await storage.put("a", body);
    body.fill("x");
    expect((await readAll(storage, "a")).toString()).toBe("abc");
  });

  it("CS2 a stream is kept in order, and its buffers may be reused after each", async () => {
    const buffer = Buffer.alloc(3);
    const reusing = async function* () {
      for (const part of ["abc", "def", "ghi"]) {
        buffer.write(part);
        yield buffer;
        buffer.fill("x");
      }
    };
    await storage.put("a", reusing());
    expect((await readAll(storage, "a")).toString()).toBe("abcdefghi");
    await storage.put("none", stream());
    await storage.put("some", stream(bytes(""), bytes("a"), bytes("")));
    expect((await readAll(storage, "none")).length).toBe(0);
    expect((await readAll(storage, "some")).toString()).toBe("a");
  });

  it("CS3 one of 32 concurrent creates wins", async () => {
    const put = (index: number) => storage.put("owner/1", stream(bytes(`${index}`)), { ifAbsent: true });
    const outcomes = await Promise.all(Array.from({ length: 32 }, (_, index) => put(index)));
    expect(outcomes.filter((outcome) => outcome === "created")).toHaveLength(1);
    expect((await readAll(storage, "owner/1")).toString()).toBe(`${outcomes.indexOf("created")}`);
  });

  it("CS3 a name can be created again after it was removed", async () => {
    expect(await storage.put("a", bytes("1"), { ifAbsent: true })).toBe("created");
    expect(await storage.put("a", bytes("1"), { ifAbsent: true })).toBe("exists");
    await storage.remove(["a"]);
    expect(await storage.put("a", bytes("2"), { ifAbsent: true })).toBe("created");
  });

  it("CS4 the same bytes again are a success", async () => {
    await storage.put("a", bytes("x"));
    expect(await storage.put("a", bytes("x"))).toBe("created");
    expect((await readAll(storage, "a")).toString()).toBe("x");
  });

  it("CS4 other bytes are an error, and the body stays", async () => {
    await storage.put("a", bytes("x"));
    await expect(storage.put("a", bytes("y"))).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
    expect((await readAll(storage, "a")).toString()).toBe("x");
  });

  it("CS5 an error of the body passes as it is and leaves nothing", async () => {
    const error = Object.assign(new Error("mine"), { code: "ENOENT" });
    const failing = async function* () {
      yield bytes("part");
      throw error;
    };
    await expect(storage.put("a/b", failing())).rejects.toBe(error);
    expect(await listAll(storage)).toEqual([]);
    expect(await storage.put("a/b", bytes("whole"), { ifAbsent: true })).toBe("created");
  });

  it("CS5 a body of other things than bytes is a TypeError and leaves nothing", async () => {
    await expect(storage.put("a", stream("text" as unknown as Uint8Array))).rejects.toThrow(TypeError);
  });

  it("CS5 a body is absent while it is written", async () => {
    const gate = new Gate();
    const slow = async function* () {
      yield bytes("first ");
      await gate.opened;
      yield bytes("second");
    };
    const put = storage.put("a", slow());
    expect(await listAll(storage)).toEqual([]);
    await expect(readAll(storage, "a")).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
    gate.open();
    await put;
    expect((await readAll(storage, "a")).toString()).toBe("first second");
  });

  it("CS5 a body beyond the limit is LIMIT_EXCEEDED and leaves nothing, one at the limit is kept", async () => {
    const small = memoryStorage({ objectBytesMax: 4 });
    await expect(small.put("a", bytes("12345"))).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
    await expect(small.put("a", stream(bytes("123"), bytes("45")))).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
    expect(await listAll(small)).toEqual([]);
    await small.put("a", stream(bytes("123"), bytes("4")));
    expect((await readAll(small, "a")).toString()).toBe("1234");
  });

  it.each([0, -1, Number.NaN])("a limit of %d is a RangeError", (objectBytesMax) => {
    expect(() => memoryStorage({ objectBytesMax })).toThrow(RangeError);
  });

  it("CS6 what was read may be changed by the caller", async () => {
    await storage.put("a", bytes("abc"));
    for await (const chunk of storage.get("a")) chunk.fill(0);
    expect((await readAll(storage, "a")).toString()).toBe("abc");
  });

  it("CS6 ranges are exact", async () => {
    await storage.put("a", bytes("0123456789"));
    expect(await readRange(storage, 0, 10)).toBe("0123456789");
    expect(await readRange(storage, 3, 7)).toBe("3456");
    expect(await readRange(storage, 10, 10)).toBe("");
  });

  it.each([
    [0, 4],
    [4, 4],
    [2, 2 ** 40],
  ])("CS6 the range %i to %i of three bytes is CHECKPOINT_CORRUPT", async (start, end) => {
    await storage.put("a", bytes("abc"));
    await expect(readRange(storage, start, end)).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
  });

  it.each([
    [-1, 2],
    [2, 1],
    [0, Number.NaN],
  ])("CS6 the range %d to %d is a RangeError", async (start, end) => {
    await storage.put("a", bytes("abc"));
    await expect(readRange(storage, start, end)).rejects.toThrow(RangeError);
  });

  it("CS6 a range that is not of integers is a RangeError", async () => {
    await storage.put("a", bytes("abc"));
    await expect(readRange(storage, 0.5, 1)).rejects.toThrow(RangeError);
  });

  it("CS6 an absent object is CHECKPOINT_NOT_FOUND, whatever is around it", async () => {
    await storage.put("a/b", bytes("x"));
    for (const name of ["a", "a/c", "b/b", "a/b/c"]) {
      await expect(readAll(storage, name)).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND", retryable: false });
    }
  });

  it("CS7 lists all objects below a prefix with their lengths", async () => {
    expect(await listAll(storage)).toEqual([]);
    for (const name of ["a/b/c", "a/b/d", "a/bb/c", "a/e", "b"]) await storage.put(name, bytes(name));
    expect(await listAll(storage)).toEqual(["a/b/c", "a/b/d", "a/bb/c", "a/e", "b"]);
    expect(await listAll(storage, "a/")).toEqual(["a/b/c", "a/b/d", "a/bb/c", "a/e"]);
    expect(await listAll(storage, "a/b/")).toEqual(["a/b/c", "a/b/d"]);
    expect(await listAll(storage, "none/")).toEqual([]);
    for await (const { name, bytes: length } of storage.list("")) expect(length).toBe(name.length);
  });

  it("CS8 removes what is there and passes over what is not", async () => {
    await storage.remove(["a/b"]);
    for (const name of ["a/b", "a/c", "d"]) await storage.put(name, bytes("x"));
    await storage.remove(["a/b", "a/none", "none/none", "d", "a/b"]);
    await storage.remove([]);
    expect([...(await objectsOf(storage)).keys()]).toEqual(["a/c"]);
  });

  it("CS9 refuses what comes after it was closed, any number of times", async () => {
    await storage.put("a", bytes("x"));
    await storage.close();
    await storage.close();
    await expect(storage.put("b", bytes("x"))).rejects.toMatchObject({ code: "CLOSED", retryable: false });
    await expect(readAll(storage, "a")).rejects.toMatchObject({ code: "CLOSED" });
    await expect(listAll(storage)).rejects.toMatchObject({ code: "CLOSED" });
    await expect(storage.remove(["a"])).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("CS9 waits for calls under way", async () => {
    const put = storage.put("a", stream(bytes("x"), bytes("y")));
    await Promise.all([storage.close(), expect(put).resolves.toBe("created")]);
  });
});
