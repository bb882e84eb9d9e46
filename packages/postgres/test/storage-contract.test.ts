/** The clauses CS1 to CS9 of `CheckpointStorage`, in a database of a server that this file starts. */

import { seededRandom } from "@tidemark/conformance";
import type { CheckpointStorage } from "@tidemark/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { postgresStorage } from "../src/index.js";
import { listAll, readAll } from "./support/objects.js";
import { TestServer } from "./support/servers.js";

let test: TestServer;
beforeAll(async () => {
  test = await TestServer.start();
}, 60_000);
afterAll(() => test.stop());

const bytes = (text: string): Uint8Array => Buffer.from(text);

async function* stream(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function readRange(storage: CheckpointStorage, name: string, start: number, end: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of storage.get(name, { start, end })) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe("checkpoints in PostgreSQL", () => {
  let platform: { readonly open: () => CheckpointStorage };
  let storage: CheckpointStorage;

  beforeEach(() => {
    const pool = test.pool();
    platform = { open: () => postgresStorage({ pool, schema: "objects" }) };
    storage = platform.open();
  });

  afterEach(async () => {
    await storage.close();
    await test.sql("DELETE FROM objects.tidemark_object; DELETE FROM objects.tidemark_chunk");
  });

  const BAD_NAMES = ["", "/", "a/", "/a", "a//b", ".", "..", "a/../b", "A", "a b", "ä", "a\0", "~tmp/a", "a\\b", "a\n"];

  it.each([...BAD_NAMES, "x".repeat(121)])("CS1 the name %j is refused everywhere", async (name) => {
    await expect(storage.put(name, bytes("x"))).rejects.toThrow(RangeError);
    await expect(readAll(storage, name)).rejects.toThrow(RangeError);
    await storage.put("good", bytes("x"));
    await expect(storage.remove(["good", name])).rejects.toThrow(RangeError);
    expect(await listAll(storage)).toEqual(["good"]);
  });

  it.each(["a", "...", "-", "_", "a.b-c_d", "0/1/2/3/4/5/6/7/8/9", `${"x".repeat(120)}/${"y".repeat(120)}`])(
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
    await expect(storage.put("a", bytes("y"), { ifAbsent: true })).rejects.toThrow(RangeError);
    await expect(readAll(storage, "a")).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
    await expect(readAll(storage, "a/b/c")).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
    await storage.remove(["a", "a/b/c"]);
    expect(await listAll(storage, "a/b/")).toEqual([]);
    expect(await listAll(storage)).toEqual(["a/b"]);
  });

  it.each([0, 1, 512 * 1024 - 1, 512 * 1024, 512 * 1024 + 1, 1_700_000])(
    "CS2 a body of %i bytes is kept",
    async (length) => {
      const body = seededRandom(length).bytes(length);
      expect(await storage.put("a/b", body)).toBe("created");
      expect((await readAll(platform.open(), "a/b")).equals(body)).toBe(true);
    },
  );

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
  });

  it("CS2 an empty stream and empty chunks are bodies too", async () => {
    await storage.put("none", stream());
    await storage.put("some", stream(bytes(""), bytes("a"), bytes("")));
    expect((await readAll(storage, "none")).length).toBe(0);
    expect((await readAll(storage, "some")).toString()).toBe("a");
  });

  it("CS3 one of 32 concurrent creates wins, over two handles", async () => {
    const other = platform.open();
    const put = (index: number) =>
      (index % 2 === 0 ? storage : other).put("owner/1", bytes(`${index}`), { ifAbsent: true });
    const outcomes = await Promise.all(Array.from({ length: 32 }, (_, index) => put(index)));
    expect(outcomes.filter((outcome) => outcome === "created")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "exists")).toHaveLength(31);
    expect((await readAll(storage, "owner/1")).toString()).toBe(`${outcomes.indexOf("created")}`);
    await other.close();
  });

  it("CS3 a name can be created again after it was removed", async () => {
    expect(await storage.put("a", bytes("1"), { ifAbsent: true })).toBe("created");
    expect(await storage.put("a", bytes("1"), { ifAbsent: true })).toBe("exists");
    await storage.remove(["a"]);
    expect(await storage.put("a", bytes("2"), { ifAbsent: true })).toBe("created");
  });

  it("CS4 the same bytes again are a success, other bytes an error", async () => {
    const body = seededRandom(4).bytes(600_000);
    await storage.put("a", body);
    expect(await storage.put("a", body)).toBe("created");
    const other = body.slice();
    other[599_999] = (other[599_999] ?? 0) ^ 1;
    for (const wrong of [other, body.subarray(1), new Uint8Array(0)]) {
      await expect(storage.put("a", wrong)).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
    }
    expect((await readAll(storage, "a")).equals(body)).toBe(true);
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
    const text = stream("text" as unknown as Uint8Array);
    await expect(storage.put("a", text)).rejects.toThrow(TypeError);
    expect(await listAll(storage)).toEqual([]);
  });

  it("CS5 a body is absent while it is written", async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = async function* () {
      yield bytes("first ");
      await gate;
      yield bytes("second");
    };
    const put = storage.put("a", slow());
    expect(await listAll(storage)).toEqual([]);
    await expect(readAll(storage, "a")).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
    release();
    await put;
    expect((await readAll(storage, "a")).toString()).toBe("first second");
  });

  it("CS6 ranges are exact", async () => {
    await storage.put("a", bytes("0123456789"));
    expect(await readRange(storage, "a", 0, 10)).toBe("0123456789");
    expect(await readRange(storage, "a", 3, 7)).toBe("3456");
    expect(await readRange(storage, "a", 10, 10)).toBe("");
  });

  it("CS6 a large range is exact across chunks", async () => {
    const body = seededRandom(6).bytes(1_500_000);
    await storage.put("a", body);
    const chunks: Uint8Array[] = [];
    for await (const chunk of storage.get("a", { start: 1, end: 1_400_000 })) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(body.subarray(1, 1_400_000))).toBe(true);
  });

  it("CS6 chunks are the caller's", async () => {
    await storage.put("a", seededRandom(7).bytes(1_100_000));
    const chunks: Uint8Array[] = [];
    for await (const chunk of storage.get("a")) chunks.push(chunk);
    expect(new Set(chunks.map((chunk) => chunk.buffer)).size).toBe(chunks.length);
    for (const chunk of chunks) chunk.fill(0);
    expect((await readAll(storage, "a")).equals(seededRandom(7).bytes(1_100_000))).toBe(true);
  });

  it.each([
    [0, 4],
    [4, 4],
    [2, 2 ** 40],
  ])("CS6 the range %i to %i of three bytes is CHECKPOINT_CORRUPT", async (start, end) => {
    await storage.put("a", bytes("abc"));
    await expect(readRange(storage, "a", start, end)).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
  });

  it.each([
    [-1, 2],
    [2, 1],
    [0.5, 1],
    [0, Number.NaN],
  ])("CS6 the range %d to %d is a RangeError", async (start, end) => {
    await storage.put("a", bytes("abc"));
    await expect(readRange(storage, "a", start, end)).rejects.toThrow(RangeError);
  });

  it("CS6 an absent object is CHECKPOINT_NOT_FOUND, whatever is around it", async () => {
    const missing = { code: "CHECKPOINT_NOT_FOUND", retryable: false };
    await expect(readAll(storage, "a")).rejects.toMatchObject(missing);
    await storage.put("a/b", bytes("x"));
    for (const name of ["a", "a/c", "b/b", "a/b/c"]) {
      await expect(readAll(storage, name)).rejects.toMatchObject(missing);
    }
  });

  it("CS7 lists all objects below a prefix with their lengths", async () => {
    for (const name of ["a/b/c", "a/b/d", "a/bb/c", "a/e", "b"]) await storage.put(name, bytes(name));
    expect(await listAll(storage)).toEqual(["a/b/c", "a/b/d", "a/bb/c", "a/e", "b"]);
    expect(await listAll(storage, "a/")).toEqual(["a/b/c", "a/b/d", "a/bb/c", "a/e"]);
    expect(await listAll(storage, "a/b/")).toEqual(["a/b/c", "a/b/d"]);
    expect(await listAll(storage, "b/")).toEqual([]);
    expect(await listAll(storage, "none/")).toEqual([]);
    for await (const { name, bytes: length } of storage.list("")) expect(length).toBe(name.length);
  });

  it("CS7 lists nothing where nothing was put", async () => {
    expect(await listAll(storage)).toEqual([]);
    expect(await listAll(storage, "a/b/")).toEqual([]);
  });

  it("CS7 lists more objects than one page", async () => {
    const names = Array.from({ length: 1_100 }, (_, index) => `a/${index}`);
    await Promise.all(names.map((name) => storage.put(name, bytes(name))));
    expect(await listAll(storage, "a/")).toEqual(names.sort());
  });

  it("CS8 removes what is there and passes over what is not", async () => {
    for (const name of ["a/b", "a/c", "d"]) await storage.put(name, bytes("x"));
    await storage.remove(["a/b", "a/none", "none/none", "d", "a/b"]);
    expect(await listAll(platform.open())).toEqual(["a/c"]);
    await storage.remove([]);
  });

  it("CS8 removes nothing where nothing was put", async () => {
    await storage.remove(["a/b"]);
    expect(await listAll(storage)).toEqual([]);
  });

  it("CS9 waits for what runs and refuses what comes", async () => {
    const put = storage.put("a", stream(bytes("x"), bytes("y")));
    const closed = storage.close();
    await expect(storage.put("b", bytes("x"))).rejects.toMatchObject({ code: "CLOSED" });
    expect(await put).toBe("created");
    await closed;
    await storage.close();
    await expect(readAll(storage, "a")).rejects.toMatchObject({ code: "CLOSED", retryable: false });
    await expect(listAll(storage)).rejects.toMatchObject({ code: "CLOSED" });
    await expect(storage.remove(["a"])).rejects.toMatchObject({ code: "CLOSED" });
    expect((await readAll(platform.open(), "a")).toString()).toBe("xy");
  });

  it("CS9 an iteration in progress ends with CLOSED", async () => {
    await storage.put("a", new Uint8Array(1_200_000));
    const iterator = storage.get("a")[Symbol.asyncIterator]();
    await iterator.next();
    await storage.close();
    await expect(iterator.next()).rejects.toMatchObject({ code: "CLOSED" });
  });
});
