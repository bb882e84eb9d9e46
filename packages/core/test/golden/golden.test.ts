/**
 * Bytes of format version 1, made once by the code of that time and kept for ever.
 *
 * `golden/v1/<name>/place` is what a job left in its storage, `golden/v1/<name>/savepoint` a savepoint of the same state; each
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
  readonly name: string;
  readonly job: string;
  readonly compression: Compression;
}

const FIXTURES: readonly Fixture[] = [
  { name: "none", job: "golden", compression: "none" },
  { name: "deflate", job: "Golden: ä\0😀", compression: "deflate" },
];
const FOLDER = join(import.meta.dirname, "v1");

function storedObjects(name: string, part: string): Map<string, Buffer> {
  const root = join(FOLDER, name, part);
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name: file }) => join(parentPath, file)).sort();
  const objectName = (path: string): string => path.slice(root.length + 1, -".bin".length).replaceAll(sep, "/");
  return new Map(paths.map((path) => [objectName(path), readFileSync(path)]));
}

async function stored(name: string, part: string): Promise<CheckpointStorage> {
  const storage = memoryStorage();
  for (const [object, body] of storedObjects(name, part)) await storage.put(object, body);
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

describe.each(FIXTURES)(
  "T21 T114 T115 golden bytes of version 1, compression $compression",
  ({ name, job, compression }) => {
    test("the place restores to exactly the state that was written", async () => {
      const restored = await openGolden({ storage: await stored(name, "place"), job, compression });
      expect(restored.restoredFrom).toBe(10);
      expect(restored.retained).toEqual([9, 10]);
      expectGolden(restored);
    });

    test("the place restores for a job of another name and storage", async () => {
      const restore: Restore = { from: await stored(name, "place"), job };
      expectGolden(await openGolden({ storage: memoryStorage(), job: "other", compression }, { restore }));
    });

    test("the savepoint restores to exactly the state that was written", async () => {
      const restore: Restore = { savepoint: await stored(name, "savepoint") };
      expectGolden(await openGolden({ storage: memoryStorage(), job: "other", compression }, { restore }));
    });

    test("the older retained checkpoint restores too", async () => {
      const place = { storage: await stored(name, "place"), job, compression };
      const restored = await openGolden(place, { restore: 9 });
      expect(restored.tasks[0].values.getSync("deleted")).toBe("deleted");
      expect(restored.tasks[0].totals.getSync("kept")).toBe(1.5);
    });

    test("the chain has a base, a compacted segment and a delta with deletions", () => {
      const objects = storedObjects(name, "place");
      const manifest = [...objects.keys()].filter((object) => object.includes("/checkpoint/")).at(-1) ?? "";
      const { operators } = decodeManifest(objects.get(manifest) ?? Buffer.alloc(0), manifest);
      const chain = operators[0]?.tasks[0]?.segments ?? [];
      expect(chain.map(({ level }) => level)).toEqual([255, 1, 0]);
      expect(chain.map(({ tombstones }) => tombstones > 0)).toEqual([false, true, true]);
    });

    test("the same history written today restores to the same state", async () => {
      const { storage, savepoint } = await runGolden(job, compression);
      expectGolden(await openGolden({ storage, job, compression }));
      const other = { storage: memoryStorage(), job: "other", compression };
      expectGolden(await openGolden(other, { restore: { savepoint } }));
    });
  },
);

// What deflate gives is for the zlib of each Node.js to say: only its content is promised.
test("the same history writes the same bytes", async () => {
  const { storage, savepoint } = await runGolden("golden", "none");
  expectSame(await objectsOf(storage), storedObjects("none", "place"));
  expectSame(await objectsOf(savepoint), storedObjects("none", "savepoint"));
});

function expectSame(written: Map<string, Buffer>, kept: Map<string, Buffer>): void {
  for (const [name, body] of kept) expect(written.get(name)?.toString("latin1"), name).toBe(body.toString("latin1"));
  expect(written.size).toBe(kept.size);
}
