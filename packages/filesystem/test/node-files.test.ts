/** The storage on the real filesystem: links, pipes, rights, full and foreign disks, handles. */

import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readlink, rename, rm, stat, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getuid, platform } from "node:process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { directory } from "../src/index.js";
import { nodeFiles } from "../src/node-files.js";
import { at, FaultPlan } from "./support/fault-plan.js";
import { faultyFiles } from "./support/faulty-files.js";
import { listAll, readAll } from "./support/history.js";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const isLinux = platform === "linux";
const canMount = isLinux && getuid?.() === 0 && tryMount();

let top: string;
let root: string;

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), "tidemark-"));
  root = join(top, "store");
});

afterEach(() => rm(top, { recursive: true }));

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

/** Runs `use` while a small filesystem of its own is mounted at `path`. */
async function mounted(path: string, use: () => Promise<void>): Promise<void> {
  await mkdir(path, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k,mode=700", "none", path]);
  try {
    await use();
  } finally {
    execFileSync("umount", [path]);
  }
}

async function succeeds(call: () => Promise<unknown>): Promise<boolean> {
  return call().then(
    () => true,
    () => false,
  );
}

/** The open files of this process below the test's directory. */
async function handles(): Promise<readonly string[]> {
  const numbers = await readdir("/proc/self/fd");
  const targets = await Promise.all(numbers.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => "gone")));
  return targets.filter((target) => target.startsWith(top));
}

describe("what is on the disk", () => {
  it("objects are files of that name, for their user only", async () => {
    await directory(root).put("a/b", bytes("body"));
    expect((await stat(join(root, "a", "b"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(root, "a"))).mode & 0o777).toBe(0o700);
    expect((await stat(root)).mode & 0o777).toBe(0o700);
    expect((await readdir(join(root, "~tmp"))).length).toBe(0);
  });

  it("a relative path means the working directory at the time of the call", async () => {
    const storage = directory(join("relative", "store"), { files: faultyFiles(nodeFiles, new FaultPlan()) });
    await expect(readAll(storage, "a")).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
  });

  it("foreign files are not listed", async () => {
    const storage = directory(root);
    await storage.put("a", bytes("x"));
    await mkdir(join(root, "lost+found"));
    await writeFile(join(root, ".DS_Store"), "x");
    await writeFile(join(root, "UPPER"), "x");
    expect(await listAll(storage)).toEqual(["a"]);
  });
});

describe("symbolic links", () => {
  let outside: string;

  beforeEach(async () => {
    outside = join(top, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "b"), "secret");
  });

  it("above the root are followed", async () => {
    await symlink(outside, join(top, "link"));
    await directory(join(top, "link", "store")).put("a", bytes("x"));
    expect(await readdir(join(outside, "store"))).toEqual(expect.arrayContaining(["a"]));
  });

  it("in place of a directory are refused", async () => {
    const storage = directory(root);
    await storage.put("x/y", bytes("x"));
    await symlink(outside, join(root, "a"));
    const refused = { code: "UNAVAILABLE", outcome: "not-applied" };
    await expect(storage.put("a/c", bytes("x"))).rejects.toMatchObject(refused);
    await expect(readAll(storage, "a/b")).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(storage.remove(["a/b"])).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(listAll(storage, "a/")).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(listAll(storage)).rejects.toThrow(/code=ELOOP/);
    expect(await readdir(outside)).toEqual(["b"]);
  });

  it("in place of an object are refused", async () => {
    const storage = directory(root);
    await storage.put("x", bytes("x"));
    await symlink(join(outside, "b"), join(root, "a"));
    await expect(readAll(storage, "a")).rejects.toThrow(/code=ELOOP/);
    await expect(storage.put("a", bytes("secret"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(storage.put("a", bytes("x"), { ifAbsent: true })).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await storage.remove(["a"]);
    expect(await readdir(outside)).toEqual(["b"]);
    expect(await listAll(storage)).toEqual(["x"]);
  });

  it("in place of the root during use are refused, also the second time", async () => {
    const storage = directory(root);
    await storage.put("a/b", bytes("x"));
    await rename(root, join(top, "moved"));
    await symlink(outside, root);
    for (let round = 0; round < 2; round += 1) {
      await expect(storage.put("a/c", bytes("x"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
      await expect(readAll(storage, "b")).rejects.toMatchObject({ code: "UNAVAILABLE" });
      await expect(storage.remove(["b"])).rejects.toMatchObject({ code: "UNAVAILABLE" });
    }
    expect(await readdir(outside)).toEqual(["b"]);
  });

  it("in place of the temporary directory are refused", async () => {
    await mkdir(root);
    await symlink(outside, join(root, "~tmp"));
    await expect(directory(root).put("a", bytes("x"))).rejects.toThrow(/code=ELOOP/);
    expect(await readdir(outside)).toEqual(["b"]);
  });

  it("a dangling link in place of the root is refused", async () => {
    await symlink(join(top, "nowhere"), root);
    await expect(directory(root).put("a", bytes("x"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});

describe("unusable roots", () => {
  it.each(["store", "store/below"])("a root that is a file, or below one, is refused: %s", async (path) => {
    await writeFile(root, "x");
    const storage = directory(join(top, path));
    const refused = { code: "UNAVAILABLE", message: expect.stringMatching(/code=ENOTDIR.*is a directory/) as string };
    await expect(storage.put("a", bytes("x"))).rejects.toMatchObject(refused);
    await expect(listAll(storage)).rejects.toMatchObject(refused);
    await unlink(root);
    expect(await storage.put("a", bytes("x"))).toBe("created");
  });

  // Needs mkfifo, which Windows lacks.
  it.runIf(isLinux)("a pipe in place of an object is refused and does not hang", async () => {
    const storage = directory(root);
    await storage.put("x", bytes("x"));
    execFileSync("mkfifo", [join(root, "a")]);
    await expect(readAll(storage, "a")).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(await listAll(storage)).toEqual(["x"]);
  });

  // Other systems have other limits.
  it.runIf(isLinux)("a path that is too long is refused", async () => {
    const storage = directory(join(top, "x".repeat(300)));
    await expect(storage.put("a", bytes("x"))).rejects.toThrow(/code=ENAMETOOLONG.*shorter/);
  });
});

// Needs the right to mount: only the kernel can fill a disk, write-protect it, or put a border through a directory.
describe.runIf(canMount)("disks of their own", () => {
  it("CS5 a full disk fails the put, keeps what was there, and is usable when there is space again", async () => {
    await mounted(root, async () => {
      const storage = directory(root);
      await storage.put("a/kept", new Uint8Array(60_000));
      const large = storage.put("a/large", new Uint8Array(400_000));
      await expect(large).rejects.toThrow(/code=ENOSPC .*Free space/);
      expect(await readdir(join(root, "~tmp"))).toEqual([]);
      expect(await listAll(storage)).toEqual(["a/kept"]);
      expect(await storage.put("a/large", new Uint8Array(100_000))).toBe("created");
      await storage.close();
    });
  });

  it("CS8 removing from a full disk needs no space", async () => {
    await mounted(root, async () => {
      const storage = directory(root);
      let count = 0;
      const put = () => succeeds(() => storage.put(`a/${count++}`, new Uint8Array(8_000)));
      while (await put());
      await storage.remove((await listAll(storage)).slice(0, 3));
      expect(await put()).toBe(true);
      await storage.close();
    });
  });

  it("a write-protected disk can be read", async () => {
    await mounted(root, async () => {
      await directory(root).put("a/b", bytes("body"));
      execFileSync("mount", ["-o", "remount,ro", root]);
      const storage = directory(root);
      expect((await readAll(storage, "a/b")).toString()).toBe("body");
      expect(await listAll(storage)).toEqual(["a/b"]);
      await expect(storage.put("a/c", bytes("x"))).rejects.toThrow(/code=EROFS .*for writing/);
      await expect(storage.remove(["a/b"])).rejects.toMatchObject({ code: "UNAVAILABLE" });
      execFileSync("mount", ["-o", "remount,rw", root]);
      expect(await storage.put("a/c", bytes("x"))).toBe("created");
    });
  });

  it("a temporary place on another disk is refused at first use", async () => {
    await mounted(join(root, "~tmp"), async () => {
      await expect(directory(root).put("a", bytes("x"))).rejects.toThrow(/code=EXDEV .*one filesystem/);
    });
  });

  it("an object's directory on another disk is refused", async () => {
    await mounted(join(root, "a"), async () => {
      const put = directory(root).put("a/b", bytes("x"));
      await expect(put).rejects.toMatchObject({
        code: "UNAVAILABLE",
        outcome: "not-applied",
        cause: { code: "EXDEV" },
      });
    });
  });
});

describe("errors at every operation of the real filesystem", () => {
  it.each(["EIO", "ENOSPC", "EMFILE"])("%s heals and leaves neither files nor handles behind", async (code) => {
    let isComplete = false;
    for (let index = 0; !isComplete; index += 1) {
      const plan = new FaultPlan();
      const path = join(top, `${index}`);
      const storage = directory(path, { files: faultyFiles(nodeFiles, plan) });
      plan.inject({ kind: "error", code }, at(index));
      const program: readonly (() => Promise<unknown>)[] = [
        () => storage.put("a/b", new Uint8Array(600_000)),
        () => storage.put("a/b", new Uint8Array(600_000)),
        () => storage.put("c", bytes("x"), { ifAbsent: true }),
        () => readAll(storage, "a/b"),
        () => listAll(storage),
        () => storage.remove(["c", "a/b"]),
      ];
      for (const call of program) if (!(await succeeds(call))) await call();
      isComplete = plan.count <= index;
      plan.heal();
      expect(await listAll(storage)).toEqual([]);
      await storage.close();
      expect(await readdir(join(path, "~tmp"))).toEqual([]);
      if (isLinux) expect(await handles()).toEqual([]);
    }
  });
});
