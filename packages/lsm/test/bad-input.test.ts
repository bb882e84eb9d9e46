/** What is refused, with which error, and that nothing was changed by it. */

import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { getuid, platform } from "node:process";
import { type ErrorCode, hasCode, KeyGroups, memoryStorage, type Store, type TaskScope } from "@tidemark/core";
import { ClassicLevel } from "classic-level";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lsm, type LsmOptions } from "../src/index.js";
import { contentOf, deltaOf, FENCE, GROUPS, markOf, SCOPE, stateAt } from "./support/history.js";

const SCOPE_PATH = join("state", "n-job", "n-operator", "4", "g-0-3");

let place: string;
let directory: string;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "tidemark-lsm-"));
  directory = join(place, "work");
});

afterEach(async () => {
  await rm(place, { recursive: true });
});

function newStore(options: Partial<LsmOptions> = {}): Store {
  return lsm({ directory, ...options } as LsmOptions).store.create();
}

async function makeStore(): Promise<void> {
  const store = newStore();
  await store.open(SCOPE, FENCE);
  await store.apply(markOf(1), deltaOf(1));
  await store.close();
}

/** Every file below `path`, with its content. */
async function filesIn(path: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const name = join(entry.parentPath, entry.name);
    files.set(name, entry.isFile() ? (await readFile(name)).toString("base64") : "directory");
  }
  return files;
}

/** Fails unless `open` is refused with `code`, twice, and what is in `place` stays as it is. */
async function expectRefused(store: Store, code: ErrorCode, message: RegExp, scope: TaskScope = SCOPE): Promise<void> {
  const before = await filesIn(place);
  for (let attempt = 0; attempt < 2; attempt++) {
    const refused = await store.open(scope, FENCE).catch((error: unknown) => error);
    expect(hasCode(refused, code), String(refused)).toBe(true);
    expect(String(refused)).toMatch(message);
  }
  expect(await filesIn(place)).toEqual(before);
  await store.close();
}

describe("directories that are someone else's", () => {
  it("S1 a directory with other files is refused", async () => {
    await mkdir(join(directory, SCOPE_PATH), { recursive: true });
    await writeFile(join(directory, SCOPE_PATH, "letter.txt"), "Dear Sir");
    await expectRefused(
      newStore(),
      "STATE_INCOMPATIBLE",
      /found="letter.txt".*Nothing was changed. Choose an empty directory/,
    );
  });

  it.each(["", SCOPE_PATH])("S1 a database made by something else at %j is refused", async (path) => {
    await mkdir(join(directory, path), { recursive: true });
    const database = new ClassicLevel(join(directory, path));
    await database.put("key", "value");
    await database.close();
    await expectRefused(newStore(), "STATE_INCOMPATIBLE", /something else's.*Choose an empty directory/);
  });

  it.each([
    { ...SCOPE, job: "other" },
    { ...SCOPE, operator: "other" },
    { ...SCOPE, maxParallelism: 8 },
    { ...SCOPE, groups: KeyGroups.of([{ first: 0, last: 1 }]) },
  ])("S1 the directory of another task that was moved here is refused (%#)", async (scope) => {
    const other = newStore();
    await other.open(scope, FENCE);
    await other.close();
    const [marker] = [...(await filesIn(directory)).keys()].filter((name) => name.endsWith("TIDEMARK"));
    await mkdir(dirname(join(directory, SCOPE_PATH)), { recursive: true });
    await rename(dirname(marker as string), join(directory, SCOPE_PATH));
    await expectRefused(newStore(), "STATE_INCOMPATIBLE", /another task's.*Nothing was changed/);
  });

  it("S1 what a newer version wrote is refused", async () => {
    await makeStore();
    const path = join(directory, SCOPE_PATH, "TIDEMARK");
    await writeFile(path, (await readFile(path, "utf8")).replace('"version":2', '"version":3'));
    await expectRefused(newStore(), "FORMAT_UNSUPPORTED", /newer version.*version=3 expected=2.*Use that version/);
  });

  it("S1 what an older version wrote is rebuilt, also if the process ends before that is marked", async () => {
    await makeStore();
    const path = join(directory, SCOPE_PATH, "TIDEMARK");
    const older = (await readFile(path, "utf8")).replace('"version":2', '"version":1');
    for (let round = 0; round < 2; round++) {
      await writeFile(path, older);
      const store = newStore();
      expect(await store.open(SCOPE, FENCE)).toEqual([]);
      expect(store.emptyBecause).toMatch(/data" an older version wrote it: version=1 expected=2/);
      await store.apply(markOf(1), deltaOf(1));
      await store.close();
    }
    const store = newStore();
    expect(await store.open(SCOPE, FENCE)).toHaveLength(1);
    expect(store.emptyBecause).toBeUndefined();
    await store.close();
  });

  it("S1 what an older version wrote for another task is refused", async () => {
    await makeStore();
    const path = join(directory, SCOPE_PATH, "TIDEMARK");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace('"version":2', '"version":1').replace('"job":"job"', '"job":"other"'));
    await expectRefused(newStore(), "STATE_INCOMPATIBLE", /another task's.*Nothing was changed/);
  });

  it("S1 a marker that cannot be read is refused", async () => {
    await makeStore();
    await writeFile(join(directory, SCOPE_PATH, "TIDEMARK"), "?");
    await expectRefused(newStore(), "STATE_INCOMPATIBLE", /another task's/);
  });

  it("S1 a prefix with something else is refused", async () => {
    const database = new ClassicLevel(join(place, "level"));
    await database.put("!tidemark!n-job/n-operator/4/g-0-3!x", "value");
    const store = lsm({ database, checkpoints: memoryStorage() }).store.create();
    const refused = await store.open(SCOPE, FENCE).catch((error: unknown) => error);
    // The key is no record and no entry of ours: it is left alone, and does not matter.
    expect(refused).toEqual([]);
    await store.close();
    await database.put("!other!n-job/n-operator/4/g-0-3!d\0\0key", "value");
    const other = lsm({ database, checkpoints: memoryStorage(), prefix: "!other!" }).store.create();
    const failure = await other.open(SCOPE, FENCE).catch((error: unknown) => error);
    expect(hasCode(failure, "STATE_INCOMPATIBLE")).toBe(true);
    expect(String(failure)).toMatch(/Something else is stored.*Choose another prefix/);
    expect(await database.keys().all()).toContain("!other!n-job/n-operator/4/g-0-3!d\0\0key");
    await database.close();
  });
});

describe("a database of an older version", () => {
  it("S1 is rebuilt: its records fail their checksums", async () => {
    const database = new ClassicLevel(join(place, "level"));
    const below = "!tidemark!n-job/n-operator/4/g-0-3!";
    await database.put(`${below}mformat`, '\x01\x02\x03\x04{"format":"tidemark-lsm","version":1}\n');
    await database.put(`${below}d\0\0key`, "\x01\x02\x03\x04value");
    const store = lsm({ database, checkpoints: memoryStorage() }).store.create();
    expect(await store.open(SCOPE, FENCE)).toEqual([]);
    expect(store.emptyBecause).toMatch(/its own records are damaged, or an older version wrote them/);
    expect(await contentOf(store)).toEqual(new Map());
    await store.close();
    await database.close();
  });
});

describe("what cannot be opened", () => {
  it("S2 a store that is open in this process is refused, also by another path", async () => {
    const store = newStore();
    await store.open(SCOPE, FENCE);
    const other = newStore({ directory: join(place, "..", place.split("/").at(-1) as string, "work", ".") });
    const refused = await other.open(SCOPE, FENCE).catch((error: unknown) => error);
    expect(hasCode(refused, "UNAVAILABLE")).toBe(true);
    expect(String(refused)).toMatch(/open already.*Close the other task/);
    await store.close();
    expect(await other.open(SCOPE, FENCE)).toEqual([]);
    await other.close();
  });

  it("S9 a file in the place of the directory is refused", async () => {
    await writeFile(directory, "");
    await expectRefused(newStore(), "UNAVAILABLE", /code=ENOTDIR.*choose another directory/);
  });

  it("S9 a database that is not open is refused", async () => {
    const database = new ClassicLevel(join(place, "level"));
    await database.close();
    const store = lsm({ database, checkpoints: memoryStorage() }).store.create();
    const refused = await store.open(SCOPE, FENCE).catch((error: unknown) => error);
    expect(hasCode(refused, "UNAVAILABLE")).toBe(true);
    expect(String(refused)).toMatch(/status="closed".*Open it/);
  });

  it("S9 a store whose database was closed under it is CLOSED", async () => {
    const database = new ClassicLevel(join(place, "level"));
    const store = lsm({ database, checkpoints: memoryStorage() }).store.create();
    await store.open(SCOPE, FENCE);
    await database.close();
    for (const call of [() => contentOf(store), () => store.apply(markOf(1), deltaOf(1)), () => store.drop(GROUPS)]) {
      const failure = await call().catch((error: unknown) => error);
      expect(hasCode(failure, "CLOSED"), String(failure)).toBe(true);
    }
    await store.close();
  });

  it("S1 a store without its data is empty, and says why", async () => {
    await makeStore();
    await rm(join(directory, SCOPE_PATH, "data"), { recursive: true });
    const store = newStore();
    expect(await store.open(SCOPE, FENCE)).toEqual([]);
    expect(store.emptyBecause).toMatch(/the database is missing/);
    await store.close();
  });

  it("S1 a store is opened where it was copied to", async () => {
    await makeStore();
    await cp(directory, join(place, "copy"), { recursive: true });
    const store = newStore({ directory: join(place, "copy") });
    expect(await store.open(SCOPE, FENCE)).toHaveLength(1);
    expect(await contentOf(store)).toEqual(stateAt(1));
    await store.close();
  });
});

describe("options", () => {
  const where = { directory: "/nowhere" };

  it.each([
    [{}, TypeError, /either a directory or a database/],
    [{ directory: "" }, TypeError, /directory is no path/],
    [{ directory: 7 }, TypeError, /directory is no path/],
    [{ ...where, database: {} }, TypeError, /either a directory or a database/],
    [{ database: {}, checkpoints: memoryStorage() }, TypeError, /not one of abstract-level 3/],
    [{ database: { getMany() {}, iterator() {}, supports: {} } }, TypeError, /cannot be read without a promise/],
    [{ database: { getMany() {}, iterator() {}, supports: { getSync: true } } }, TypeError, /checkpoints is missing/],
    [{ ...where, prefix: "x" }, TypeError, /no such option.*name="prefix"/],
    [{ ...where, blocksize: 1 }, TypeError, /no such option.*name="blocksize"/],
    [{ ...where, preset: "hdd" }, TypeError, /no such preset.*ssd,spinning-disk,low-memory/],
    [{ ...where, verify: "nothing" }, TypeError, /no such verify/],
    [{ ...where, onRebuild: "log" }, TypeError, /onRebuild is no function/],
    [{ ...where, compression: "zstd" }, TypeError, /compression is no boolean/],
    [{ ...where, memory: "15mb" }, RangeError, /memory="15mb".*at least "16mb"/],
    [{ ...where, memory: "lots" }, RangeError, /no size/],
    [{ ...where, memory: 0 }, RangeError, /fraction/],
    [{ ...where, memory: 1.5 }, RangeError, /fraction/],
    [{ ...where, memory: `${totalmem() + 1}b` }, RangeError, /no more than the machine has/],
    [{ ...where, memory: "32mb", writeBufferSize: 16 * 1024 * 1024 }, RangeError, /too small for its parts/],
    [{ ...where, memory: "32mb", blockCacheSize: 30 * 1024 * 1024 }, RangeError, /too small for its parts/],
    [{ ...where, writeBufferSize: 1 }, RangeError, /writeBufferSize out of range/],
    [{ ...where, blockSize: 0 }, RangeError, /blockSize out of range/],
    [{ ...where, targetFileSizeBase: 1 }, RangeError, /targetFileSizeBase out of range/],
    [{ ...where, maxOpenFiles: 10 }, RangeError, /maxOpenFiles out of range/],
  ])("%j is refused at once", (options, kind, message) => {
    const call = (): unknown => lsm(options as unknown as LsmOptions);
    expect(call).toThrow(kind);
    expect(call).toThrow(message);
  });

  it.each(["ssd", "spinning-disk", "low-memory"] as const)("the preset %s can be opened", async (preset) => {
    const { store: provider } = lsm({ directory, preset });
    const store = provider.create();
    await store.open(SCOPE, FENCE);
    await store.apply(markOf(1), deltaOf(1));
    expect(await contentOf(store)).toEqual(stateAt(1));
    await store.close();
  });
});

const canMount = platform === "linux" && getuid?.() === 0 && tryMount();

function tryMount(): boolean {
  const path = execFileSync("mktemp", ["-d"], { encoding: "utf8" }).trim();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "none", path], { stdio: "ignore" });
    execFileSync("umount", [path]);
    return true;
  } catch {
    // A container may have a root user without the right to mount.
    return false;
  } finally {
    execFileSync("rmdir", [path]);
  }
}

/** Takes all the room there is. */
async function fill(): Promise<void> {
  await expect(writeFile(join(directory, "ballast"), Buffer.alloc(5_000_000))).rejects.toThrow(/ENOSPC/);
}

// Only root may mount a disk of a size of its own.
describe.runIf(canMount)("disks of their own", () => {
  beforeEach(async () => {
    await mkdir(directory);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m,mode=700", "none", directory]);
  });

  afterEach(() => {
    execFileSync("umount", [directory]);
  });

  it("S6, S9 a full disk is UNAVAILABLE, and what was applied stays", { timeout: 60_000 }, async () => {
    const options = { writeBufferSize: 128 * 1024, compression: false };
    const store = newStore(options);
    await store.open(SCOPE, FENCE);
    let applied = 0;
    let failure: unknown;
    try {
      for (let id = 1; failure === undefined && id < 50; id++) {
        if (id === 4) await fill();
        failure = await store.apply(markOf(id), deltaOf(id)).catch((error: unknown) => error);
        if (failure === undefined) applied = id;
      }
    } finally {
      await store.close();
    }
    expect(hasCode(failure, "UNAVAILABLE"), String(failure)).toBe(true);
    expect(String(failure)).toMatch(/Make room on the disk/);
    expect(applied).toBeGreaterThanOrEqual(3);

    execFileSync("mount", ["-o", "remount,size=64m", directory]);
    const again = newStore(options);
    const [found] = await again.open(SCOPE, FENCE);
    expect(again.emptyBecause).toBeUndefined();
    expect(found?.mark).toEqual(markOf(applied));
    await again.apply(markOf(applied + 1), deltaOf(applied + 1));
    expect(await contentOf(again)).toEqual(stateAt(applied + 1));
    await again.close();
  });

  it("S9 a disk without room for a new store, or that is read-only, is UNAVAILABLE", async () => {
    await fill();
    const full = await newStore()
      .open(SCOPE, FENCE)
      .catch((error: unknown) => error);
    expect(hasCode(full, "UNAVAILABLE"), String(full)).toBe(true);
    await rm(join(directory, "ballast"));
    execFileSync("mount", ["-o", "remount,ro", directory]);
    await expectRefused(newStore(), "UNAVAILABLE", /EROFS|Read-only|right to write/);
    execFileSync("mount", ["-o", "remount,rw", directory]);
    const store = newStore();
    expect(await store.open(SCOPE, FENCE)).toEqual([]);
    await store.close();
  });
});
