/** The enumeration of crash states against disks small enough to count by hand. */

import { describe, expect, it } from "vitest";
import { crashStates } from "./support/crash-states.js";
import { FaultFiles } from "./support/fault-files.js";
import { atNext } from "./support/fault-plan.js";
import type { DiskImage } from "./support/memory-disk.js";

const text = (image: DiskImage): string =>
  [...image]
    .map(([path, content]) => `${path}=${typeof content === "string" ? "/" : show(content)}`)
    .sort()
    .join(" ");

const show = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1").replaceAll("\0", "0");

/** The states after the last operation, as text. */
function statesOf(disk: FaultFiles): readonly string[] {
  disk.mark("now");
  const states = [...crashStates(disk.log, { seed: 1 })];
  return states
    .filter(({ cut }) => cut === disk.log.length)
    .map(({ image }) => text(image))
    .sort();
}

async function written(disk: FaultFiles, path: string, ...parts: readonly string[]) {
  const file = await disk.create(path);
  let position = 0;
  for (const part of parts) position += await file.write(Buffer.from(part), position);
  return file;
}

describe("crash states", () => {
  it("a file that was never synced is absent, empty, torn or whole", async () => {
    const disk = new FaultFiles();
    await written(disk, "/a", "abcd");
    expect(statesOf(disk)).toEqual(["", "/a=", "/a=ab", "/a=abcd"]);
  });

  it("a lost write leaves zeros under a later one that survived", async () => {
    const disk = new FaultFiles();
    await written(disk, "/a", "ab", "cd");
    expect(statesOf(disk)).toEqual(expect.arrayContaining(["/a=00cd", "/a=a0cd"]));
  });

  it("a synced file may lack its name, and has all its bytes if it has it", async () => {
    const disk = new FaultFiles();
    const file = await written(disk, "/a", "abcd");
    await file.sync();
    expect(statesOf(disk)).toEqual(["", "/a=abcd"]);
  });

  it("a synced name without a synced content may be an empty file", async () => {
    const disk = new FaultFiles();
    await written(disk, "/a", "abcd");
    await disk.syncDirectory("/");
    expect(statesOf(disk)).toEqual(["/a=", "/a=ab", "/a=abcd"]);
  });

  it("what a failed sync lost is not saved by the next one", async () => {
    const disk = new FaultFiles();
    const file = await written(disk, "/a", "abcd");
    disk.plan.inject({ kind: "error", code: "EIO" }, atNext("sync"));
    await expect(file.sync()).rejects.toThrow("EIO");
    await file.sync();
    await disk.syncDirectory("/");
    expect(statesOf(disk)).toContain("/a=");
  });

  it("changes of one directory survive in any subset", async () => {
    const disk = new FaultFiles(new Map([["/a", Buffer.from("a")]]));
    await disk.link("/a", "/b");
    await disk.unlink("/a");
    expect(statesOf(disk)).toEqual(["", "/a=a", "/a=a /b=a", "/b=a"]);
  });

  it("nothing in a directory survives without the directory", async () => {
    const disk = new FaultFiles();
    await disk.makeDirectory("/d");
    const file = await written(disk, "/d/a", "a");
    await file.sync();
    await disk.syncDirectory("/d");
    expect(statesOf(disk)).toEqual(["", "/d/a=a /d=/"]);
  });

  it("is the same twice, also when sampled", async () => {
    const disk = new FaultFiles();
    for (let index = 0; index < 8; index += 1) await written(disk, `/${index}`, "abcd");
    const run = (seed: number) => [...crashStates(disk.log, { seed, limitPerCut: 50 })].map(({ image }) => text(image));
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  it("each state can be loaded, and is found as it was", async () => {
    const disk = new FaultFiles();
    await disk.makeDirectory("/d");
    await written(disk, "/d/a", "ab", "cd");
    for (const { image } of crashStates(disk.log, { seed: 1 })) {
      expect(text(new FaultFiles(image).image())).toBe(text(image));
    }
  });
});
