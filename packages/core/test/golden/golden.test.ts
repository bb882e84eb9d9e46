/**
 * Bytes of every format version of segments, made once by the code of that time and kept for ever. Version 2 packs small maps.
 *
 * `golden/v2/<name>/place` is what a job left in its storage, `golden/v2/<name>/savepoint` a savepoint of the same state; each
 * object is a file of its name, with `.bin` behind it.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { describe, expect, test } from "vitest";
import { decodeManifest } from "../../src/checkpoint/manifest.js";
import { type CheckpointStorage, type Compression, memoryStorage, type Restore } from "../../src/index.js";
import { objectsOf } from "../support/objects.js";
import { EVERY_CONTENT, SPREAD_KEYS, SPREAD_RULES, SPREAD_SPLIT, SPREAD_UNION } from "./expected.js";
import { type GoldenJob, openGolden, runGolden } from "./history.js";
import { everyContent, spreadKeys } from "./read-golden.js";

interface Fixture {
  readonly version: 1 | 2;
  readonly name: string;
  readonly job: string;
  readonly compression: Compression;
}

const FIXTURES: readonly Fixture[] = [
  { version: 1, name: "none", job: "golden", compression: "none" },
  { version: 1, name: "deflate", job: "Golden: ä\0😀", compression: "deflate" },
  { version: 2, name: "none", job: "golden", compression: "none" },
  { version: 2, name: "deflate", job: "Golden: ä\0😀", compression: "deflate" },
];

type Part = "place" | "savepoint";

function storedObjects({ version, name }: Pick<Fixture, "version" | "name">, part: Part): Map<string, Buffer> {
  const root = join(import.meta.dirname, `v${version}`, name, part);
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name: file }) => join(parentPath, file)).sort();
  const objectName = (path: string): string => path.slice(root.length + 1, -".bin".length).replaceAll(sep, "/");
  return new Map(paths.map((path) => [objectName(path), readFileSync(path)]));
}

async function stored(fixture: Fixture, part: Part): Promise<CheckpointStorage> {
  const storage = memoryStorage();
  for (const [object, body] of storedObjects(fixture, part)) await storage.put(object, body);
  return storage;
}

function byKey(contents: readonly (readonly [unknown, unknown])[]): [string, readonly [unknown, unknown]][] {
  const named = contents.map((entry): [string, typeof entry] => [keyText(entry[0]), entry]);
  return named.sort(([a], [b]) => (a < b ? -1 : 1));
}

function keyText(key: unknown): string {
  if (Array.isArray(key)) return `[${key.map(keyText).join()}]`;
  return `${typeof key} ${key instanceof Uint8Array ? key.toString() : String(key)}`;
}

function expectGolden(job: GoldenJob): void {
  const found = everyContent(job);
  expect(Object.keys(found)).toEqual(Object.keys(EVERY_CONTENT));
  for (const [state, contents] of Object.entries(EVERY_CONTENT)) {
    expect(byKey(found[state] ?? []), state).toStrictEqual(byKey(contents));
  }
  const [, first, second] = job.tasks;
  expect(byKey([...spreadKeys(first), ...spreadKeys(second)])).toStrictEqual(byKey(SPREAD_KEYS));
  for (const [i, task] of [first, second].entries()) {
    expect(task.split.get()).toEqual(SPREAD_SPLIT[i]);
    expect(task.union.get()).toEqual(SPREAD_UNION[i]);
    expect([...task.rules.entries()]).toEqual(SPREAD_RULES);
  }
}

describe.each(FIXTURES)("T21 T114 T115 golden bytes of version $version, compression $compression", (fixture) => {
  const { job, compression } = fixture;

  test("the place restores to exactly the state that was written", async () => {
    const restored = await openGolden({ storage: await stored(fixture, "place"), job, compression });
    expect(restored.restoredFrom).toBe(10);
    expect(restored.retained).toEqual([9, 10]);
    expectGolden(restored);
  });

  test("the place restores for a job of another name and storage", async () => {
    const restore: Restore = { from: await stored(fixture, "place"), job };
    expectGolden(await openGolden({ storage: memoryStorage(), job: "other", compression }, { restore }));
  });

  test("the savepoint restores to exactly the state that was written", async () => {
    const restore: Restore = { savepoint: await stored(fixture, "savepoint") };
    expectGolden(await openGolden({ storage: memoryStorage(), job: "other", compression }, { restore }));
  });

  test("the older retained checkpoint restores too", async () => {
    const place = { storage: await stored(fixture, "place"), job, compression };
    const restored = await openGolden(place, { restore: 9 });
    expect(restored.tasks[0].values.getSync("deleted")).toBe("deleted");
    expect(restored.tasks[0].totals.getSync("kept")).toBe(1.5);
  });

  test("the chain has a base, a compacted segment and a delta with deletions", () => {
    const objects = storedObjects(fixture, "place");
    const manifest = [...objects.keys()].filter((object) => object.includes("/checkpoint/")).at(-1) ?? "";
    const { operators } = decodeManifest(objects.get(manifest) ?? Buffer.alloc(0), manifest);
    const chain = operators[0]?.tasks[0]?.segments ?? [];
    expect(chain.map(({ level }) => level)).toEqual([255, 1, 0]);
    expect(chain.map(({ tombstones }) => tombstones > 0)).toEqual([false, true, true]);
  });

  test("T42 a job goes on from it, and packs the small maps that it writes", async () => {
    const place = { storage: await stored(fixture, "place"), job, compression };
    for (const full of [false, true]) {
      const restored = await openGolden(place);
      const { maps, ["window maps"]: windows } = restored.tasks[0].states;
      // The content stays the same.
      maps.set("cleared", "after the clear", true);
      maps.set("kept", 0, "base 0");
      windows.in(-(1n << 70n)).set("kept", "a", 1);
      await restored.checkpoint({ full });
      expectGolden(restored);
      await restored.close();
      expectGolden(await openGolden(place));
    }
    const segments = [...(await objectsOf(place.storage))].filter(([object]) => object.includes("/segment/"));
    expect(segments.map(([, body]) => body.at(-1))).toContain(2);
  });

  test("T42 a segment has version 2 if it has packed maps, else version 1", async () => {
    const objects = [...storedObjects(fixture, "place"), ...storedObjects(fixture, "savepoint")];
    const segments = objects.filter(([object]) => /(^|\/)segment\//.test(object));
    const versions = segments.map(([, body]) => body.at(-1));
    expect(segments.map(([, body]) => body.toString("latin1", 0, 8))).toEqual(segments.map(() => "TIDESEG\u0001"));
    expect([...new Set(versions)].sort()).toEqual(fixture.version === 1 ? [1] : [1, 2]);
  });

  test("the same history written today restores to the same state", async () => {
    const { storage, savepoint } = await runGolden(job, compression);
    expectGolden(await openGolden({ storage, job, compression }));
    const other = { storage: memoryStorage(), job: "other", compression };
    expectGolden(await openGolden(other, { restore: { savepoint } }));
  });
});

// What deflate gives is for the zlib of each Node.js to say: only its content is promised.
test("the same history writes the same bytes", async () => {
  const newest = { version: 2, name: "none" } as const;
  const { storage, savepoint } = await runGolden("golden", "none");
  expectSame(await objectsOf(storage), storedObjects(newest, "place"));
  expectSame(await objectsOf(savepoint), storedObjects(newest, "savepoint"));
});

function expectSame(written: Map<string, Buffer>, kept: Map<string, Buffer>): void {
  for (const [name, body] of kept) expect(written.get(name)?.toString("latin1"), name).toBe(body.toString("latin1"));
  expect(written.size).toBe(kept.size);
}
