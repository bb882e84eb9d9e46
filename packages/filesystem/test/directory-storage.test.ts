/** What the contract leaves open: the order of operations, temporary files, errors and their remedies, waiting. */

import { hasCode } from "@tidemark/core";
import type { CheckpointStorage, Clock } from "@tidemark/core";
import { describe, expect, it } from "vitest";
import { directory } from "../src/index.js";
import { FaultFiles } from "./support/fault-files.js";
import { at, atNext, from } from "./support/fault-plan.js";
import type { Operation, Placement } from "./support/fault-plan.js";
import { listAll, readAll } from "./support/history.js";
import type { DiskImage } from "./support/memory-disk.js";
import { seededRandom } from "./support/seeded-random.js";

const HOUR_MS = 60 * 60 * 1000;

const bytes = (text: string): Uint8Array => Buffer.from(text);

function open(files: FaultFiles, clock?: Clock): CheckpointStorage {
  return directory("/s", { files, random: seededRandom(1), ...(clock === undefined ? {} : { clock }) });
}

/** The trace without what was traced before, temporary names shortened. */
function traceFrom(files: FaultFiles, length: number): readonly string[] {
  return files.trace.slice(length).map((line) => line.replaceAll(/~tmp\/[0-9a-f]{32}/g, "~tmp/T"));
}

function tempFiles(files: FaultFiles): readonly string[] {
  return [...files.image().keys()].filter((path) => path.includes("~tmp/"));
}

/** Lets everything run that waits for nothing but its turn. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** The next operation of that kind whose path ends like this. */
function atPath(operation: Operation, end: string): Placement {
  return { when: (call) => call.operation === operation && call.path.endsWith(end) };
}

describe("order of operations", () => {
  it("of the first put", async () => {
    const files = new FaultFiles();
    await open(files).put("a/b", bytes("body"));
    expect(traceFrom(files, 0)).toEqual([
      // The root is made, durably, with its temporary place.
      "realPath /s ENOENT",
      "realPath /",
      "syncDirectory /",
      "realPath /",
      "makeDirectory /s",
      "syncDirectory /",
      "realPath /s",
      "status /s",
      "makeDirectory /s/~tmp",
      "status /s/~tmp",
      "status /s",
      "readDirectory /s/~tmp",
      // The content becomes durable.
      "create /s/~tmp/T",
      "write /s/~tmp/T 4",
      "sync /s/~tmp/T",
      "close /s/~tmp/T",
      // The object's directory is made, durably.
      "status /s",
      "status /s/a ENOENT",
      "makeDirectory /s/a",
      "status /s/a",
      "syncDirectory /s",
      // The name appears, then becomes durable; only then the temporary one goes.
      "link /s/~tmp/T /s/a/b",
      "syncDirectory /s/a",
      "unlink /s/~tmp/T",
    ]);
  });

  it("of the puts after it", async () => {
    const files = new FaultFiles();
    const storage = open(files);
    await storage.put("a/b", bytes("body"));
    const length = files.trace.length;
    await storage.put("a/c", bytes("body"));
    expect(traceFrom(files, length)).toEqual([
      "create /s/~tmp/T",
      "write /s/~tmp/T 4",
      "sync /s/~tmp/T",
      "close /s/~tmp/T",
      "status /s",
      "status /s/a",
      "link /s/~tmp/T /s/a/c",
      "syncDirectory /s/a",
      "unlink /s/~tmp/T",
    ]);
  });

  it("of a put of the same bytes", async () => {
    const files = new FaultFiles();
    const storage = open(files);
    await storage.put("a", bytes("body"));
    const length = files.trace.length;
    await storage.put("a", bytes("body"));
    expect(traceFrom(files, length).slice(5)).toEqual([
      "link /s/~tmp/T /s/a EEXIST",
      "status /s/a",
      "open /s/~tmp/T",
      "open /s/a",
      "read /s/~tmp/T 4",
      "read /s/a 4",
      "close /s/a",
      "close /s/~tmp/T",
      "syncDirectory /s",
      "unlink /s/~tmp/T",
    ]);
  });

  it("of a remove", async () => {
    const files = new FaultFiles();
    const storage = open(files);
    for (const name of ["chk/1", "shared/a", "shared/b"]) await storage.put(name, bytes("body"));
    const length = files.trace.length;
    await storage.remove(["chk/1", "shared/a", "shared/b", "none/c"]);
    expect(traceFrom(files, length)).toEqual([
      "status /s",
      "status /s/chk",
      "unlink /s/chk/1",
      "syncDirectory /s/chk",
      "status /s",
      "status /s/shared",
      "unlink /s/shared/a",
      "syncDirectory /s/shared",
      "status /s",
      "status /s/shared",
      "unlink /s/shared/b",
      "syncDirectory /s/shared",
      "status /s",
      "status /s/none ENOENT",
    ]);
  });

  it("T118 of reading, which changes nothing", async () => {
    const files = new FaultFiles();
    const storage = open(files);
    expect(await listAll(storage)).toEqual([]);
    await expect(readAll(storage, "a")).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
    await storage.remove(["a"]);
    expect(files.image().size).toBe(0);
  });
});

describe("temporary files", () => {
  const clock = (nowMs: number): Clock => ({
    now: () => nowMs,
    monotonic: () => nowMs,
    schedule: () => ({ cancel: () => undefined }),
    yield: settle,
  });

  async function withLeftover(): Promise<FaultFiles> {
    const files = new FaultFiles(
      new Map([
        ["/s", "directory"],
        ["/s/~tmp", "directory"],
      ]) satisfies DiskImage,
    );
    files.setTime(100 * HOUR_MS);
    await (await files.create("/s/~tmp/dead")).close();
    return files;
  }

  it("of dead processes go after a day", async () => {
    const files = await withLeftover();
    await open(files, clock(124 * HOUR_MS + 1)).put("a", bytes("x"));
    expect(tempFiles(files)).toEqual([]);
  });

  it("of processes that may be alive stay", async () => {
    const files = await withLeftover();
    await open(files, clock(124 * HOUR_MS)).put("a", bytes("x"));
    expect(tempFiles(files)).toEqual(["/s/~tmp/dead"]);
  });

  it("that cannot be removed do not stop the storage", async () => {
    const files = await withLeftover();
    files.plan.inject({ kind: "error", code: "EPERM" }, atPath("unlink", "/dead"));
    expect(await open(files, clock(200 * HOUR_MS)).put("a", bytes("x"))).toBe("created");
  });

  it("are never objects", async () => {
    const files = await withLeftover();
    expect(await listAll(open(files, clock(0)))).toEqual([]);
  });

  it("that could not be removed are removed with the next put, or when closing", async () => {
    const files = new FaultFiles();
    const storage = open(files);
    files.plan.inject({ kind: "error", code: "EIO" }, atNext("unlink", 2));
    expect(await storage.put("a", bytes("x"))).toBe("created");
    expect(await storage.put("b", bytes("x"))).toBe("created");
    expect(tempFiles(files)).toHaveLength(2);
    await storage.close();
    expect(tempFiles(files)).toEqual([]);
  });

  it("that can never be removed are not remembered without bound", async () => {
    const files = new FaultFiles();
    const storage = open(files);
    files.plan.inject({ kind: "error", code: "EIO" }, atNext("unlink", Number.POSITIVE_INFINITY));
    for (let index = 0; index < 70; index += 1) await storage.put(`a/${index}`, bytes("x"));
    files.plan.heal();
    await storage.close();
    expect(tempFiles(files)).toHaveLength(6);
  });
});

describe("errors", () => {
  const REMEDIES: readonly (readonly [string, RegExp])[] = [
    ["ENOSPC", /Free space/],
    ["EDQUOT", /quota/],
    ["EIO", /disk/],
    ["EMFILE", /ulimit -n/],
    ["ENFILE", /machine's limit/],
    ["EACCES", /right to/],
    ["EROFS", /for writing/],
    ["EXDEV", /one filesystem/],
    ["EPERM", /ownership/],
    ["EWHATEVER", /manual/],
  ];

  it.each(REMEDIES)("%s names its code, its path and its remedy", async (code, remedy) => {
    const files = new FaultFiles();
    files.plan.inject({ kind: "error", code }, atNext("write"));
    const error: unknown = await open(files)
      .put("a", bytes("x"))
      .catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: "UNAVAILABLE", retryable: true, outcome: "not-applied", cause: { code } });
    expect(error).toHaveProperty("message", expect.stringMatching(`code=${code} path="/s/~tmp/[0-9a-f]{32}"`));
    expect(error).toHaveProperty("message", expect.stringMatching(remedy));
  });

  it("EFBIG is LIMIT_EXCEEDED", async () => {
    const files = new FaultFiles();
    files.plan.inject({ kind: "error", code: "EFBIG" }, atNext("write"));
    await expect(open(files).put("a", bytes("x"))).rejects.toMatchObject({ code: "LIMIT_EXCEEDED", retryable: false });
  });

  it("of one put have the outcome that fits their place", async () => {
    const outcomes = new Map<string, string>();
    for (let index = 0; ; index += 1) {
      const files = new FaultFiles();
      files.plan.inject({ kind: "error", code: "EIO" }, at(index));
      const failed = await open(files)
        .put("a/b", bytes("x"))
        .then(
          () => false,
          (error: unknown) => error,
        );
      if (files.plan.count <= index) break;
      if (failed === false) continue;
      const last = files.trace.findLast((line) => line.endsWith("EIO"));
      outcomes.set(last?.replaceAll(/[0-9a-f]{32}/g, "T") ?? "", (failed as { outcome: string }).outcome);
    }
    const unknown = [...outcomes].filter(([, outcome]) => outcome !== "not-applied").map(([line]) => line);
    expect(unknown).toEqual(["link /s/~tmp/T /s/a/b EIO", "syncDirectory /s/a EIO"]);
    expect(outcomes.size).toBeGreaterThan(15);
  });

  it("a link that the system surely refused is not-applied", async () => {
    const files = new FaultFiles();
    files.plan.inject({ kind: "error", code: "EMLINK" }, atNext("link"));
    await expect(open(files).put("a", bytes("x"))).rejects.toMatchObject({ outcome: "not-applied" });
  });

  it("an object that is shorter than the filesystem says is CHECKPOINT_CORRUPT", async () => {
    const files = new FaultFiles();
    await open(files).put("a", bytes("x"));
    const shrunk: typeof files.open = async (path) => {
      const file = await files.open(path);
      return { ...file, status: { ...file.status, bytes: 5 } };
    };
    const lying = new Proxy(files, { get: (target, key) => (key === "open" ? shrunk : bind(target, key)) });
    const storage = directory("/s", { files: lying });
    await expect(readAll(storage, "a")).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
  });

  it("a parent that we may not read does not stop us from using a directory that is there", async () => {
    const files = new FaultFiles(
      new Map([
        ["/p", "directory"],
        ["/p/s", "directory"],
      ]) satisfies DiskImage,
    );
    files.plan.inject({ kind: "error", code: "EACCES" }, { ...atPath("syncDirectory", "/p"), times: 9 });
    expect(await directory("/p/s", { files }).put("a", bytes("x"))).toBe("created");
    await expect(directory("/p/t", { files }).put("a", bytes("x"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("a disk that takes nothing does not hang the put", async () => {
    const files = new FaultFiles();
    const create: typeof files.create = async (path) => ({ ...(await files.create(path)), write: async () => 0 });
    const full = new Proxy(files, { get: (target, key) => (key === "create" ? create : bind(target, key)) });
    await expect(directory("/s", { files: full }).put("a", bytes("x"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("a root that vanished is made again after one failure", async () => {
    let files = new FaultFiles();
    const storage = directory("/s", {
      files: new Proxy(files, { get: (_, key) => bind(files, key) }),
      random: seededRandom(1),
    });
    await storage.put("a", bytes("x"));
    files = new FaultFiles();
    await expect(storage.put("b", bytes("x"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(await storage.put("b", bytes("x"))).toBe("created");
  });

  it("a bug is not taken for an error of the system", async () => {
    const files = new FaultFiles();
    const bug = new TypeError("bug");
    const create = () => Promise.reject(bug);
    const broken = new Proxy(files, { get: (target, key) => (key === "create" ? create : bind(target, key)) });
    await expect(directory("/s", { files: broken }).put("a", bytes("x"))).rejects.toBe(bug);
  });

  it("persist as long as their cause does", async () => {
    const files = new FaultFiles();
    const storage = open(files);
    files.plan.inject({ kind: "error", code: "EIO" }, from(0));
    for (const call of [() => storage.put("a", bytes("x")), () => listAll(storage), () => readAll(storage, "a")]) {
      const error: unknown = await call().catch((failure: unknown) => failure);
      expect(hasCode(error, "UNAVAILABLE")).toBe(true);
    }
  });
});

describe("waiting", () => {
  it("a slow disk holds up its own put and no other", async () => {
    const files = new FaultFiles();
    const storage = open(files);
    await storage.put("a", bytes("x"));
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    files.plan.inject({ kind: "wait", until }, atNext("sync"));
    let isSlowDone = false;
    const slow = storage.put("slow", bytes("x")).then(() => {
      isSlowDone = true;
    });
    expect(await storage.put("fast", bytes("x"))).toBe("created");
    expect(await listAll(storage)).toEqual(["a", "fast"]);
    let isClosed = false;
    const closed = storage.close().then(() => {
      isClosed = true;
    });
    await settle();
    expect([isSlowDone, isClosed]).toEqual([false, false]);
    release();
    await Promise.all([slow, closed]);
    expect(files.openCount).toBe(0);
    expect(await listAll(open(files))).toEqual(["a", "fast", "slow"]);
  });

  it("CS9 closing ends iterations with CLOSED and gives back their files", async () => {
    const files = new FaultFiles();
    const storage = open(files);
    await storage.put("a", new Uint8Array(1_200_000));
    const iterator = storage.get("a")[Symbol.asyncIterator]();
    await iterator.next();
    expect(files.openCount).toBe(1);
    await storage.close();
    expect(files.openCount).toBe(0);
    await expect(iterator.next()).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("leaving an iteration gives back its file", async () => {
    const files = new FaultFiles();
    const storage = open(files);
    await storage.put("a", new Uint8Array(1_200_000));
    for await (const _chunk of storage.get("a")) break;
    expect(files.openCount).toBe(0);
  });
});

function bind(files: FaultFiles, key: string | symbol): unknown {
  const value: unknown = Reflect.get(files, key, files);
  return typeof value === "function" ? (value.bind(files) as unknown) : value;
}
