/** Damage to each kind of file of LevelDB is noticed: what is reported is there, and what is not there is not reported. */

import { cp, mkdtemp, readdir, readFile, rm, truncate, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lsm } from "../src/index.js";
import { contentOf, deltaOf, FENCE, GROUPS, markOf, SCOPE, stateAt } from "./support/history.js";

/** So few tables are not merged, and so small a log is not made one before the next start. */
const LAST = 4;
const OPTIONS = { writeBufferSize: 4 * 1024 * 1024 } as const;
const SCOPE_PATH = join("state", "n-job", "n-operator", "4", "g-0-3");
const DATA = join(SCOPE_PATH, "data");
/** Only for people: LevelDB writes its notes there. */
const NOTES = /^LOG(\.old)?$/;
/** Of a table. */
const FOOTER_BYTES = 48;
const TIMEOUT = { timeout: 300_000 };

/** What is done to the file `path`. */
interface Damage {
  readonly what: string;
  readonly inflict: (path: string) => Promise<void>;
}

let places: string;
let whole: string;
let state: ReadonlyMap<string, string>;
let count = 0;

beforeAll(async () => {
  places = await mkdtemp(join(tmpdir(), "tidemark-lsm-"));
  whole = join(places, "whole");
  state = stateAt(LAST);
  for (let id = 1; id <= LAST; id++) {
    const store = lsm({ directory: whole, ...OPTIONS }).store.create();
    await store.open(SCOPE, FENCE);
    await store.apply(markOf(id), deltaOf(id));
    await store.close();
  }
});

afterAll(async () => {
  await rm(places, { recursive: true });
});

function flip(offset: number): Damage {
  return {
    what: `bit ${offset % 8} of byte ${offset} flipped`,
    async inflict(path) {
      const bytes = await readFile(path);
      bytes[offset] = (bytes[offset] as number) ^ (1 << (offset % 8));
      await writeFile(path, bytes);
    },
  };
}

/** @param endBytes at each end of the file every byte is damaged */
function damagesOf(length: number, endBytes: number): readonly Damage[] {
  const spread = Array.from({ length: 16 }, (_, index) => Math.floor((index * length) / 16));
  const ends = Array.from({ length: endBytes }, (_, index) => [index, length - 1 - index]).flat();
  const offsets = [...new Set([...spread, ...ends])].filter((offset) => offset >= 0 && offset < length);
  const lengths = [...new Set([0, 1, 7, 48, length >> 1, length - 48, length - 1])].filter(
    (each) => each >= 0 && each < length,
  );
  return [
    ...offsets.map(flip),
    ...lengths.map((each) => ({ what: `cut to ${each} bytes`, inflict: (path: string) => truncate(path, each) })),
    { what: "removed", inflict: unlink },
    { what: "filled with zeros", inflict: (path) => writeFile(path, Buffer.alloc(length)) },
    {
      what: "zeros from its middle on",
      inflict: async (path) => writeFile(path, (await readFile(path)).fill(0, length >> 1)),
    },
  ];
}

/** Opens a damaged copy; whether it was trusted. What was is rolled forward, and then has to be all of it. */
async function openDamaged(name: string, { inflict }: Damage): Promise<"rebuild" | "older" | "whole"> {
  const directory = join(places, String(count++));
  await cp(whole, directory, { recursive: true });
  await inflict(join(directory, DATA, name));
  const store = lsm({ directory, ...OPTIONS }).store.create();
  try {
    const [found, ...more] = await store.open(SCOPE, FENCE);
    expect(more).toEqual([]);
    if (found === undefined) {
      expect(store.emptyBecause).toContain(DATA);
      return "rebuild";
    }
    expect(store.emptyBecause).toBeUndefined();
    expect(found.groups).toEqual(GROUPS.ranges[0]);
    for (let id = found.mark.checkpoint + 1; id <= LAST; id++) await store.apply(markOf(id), deltaOf(id));
    expect(await contentOf(store)).toEqual(state);
    return found.mark.checkpoint === LAST ? "whole" : "older";
  } finally {
    await store.close();
    await rm(directory, { recursive: true });
  }
}

async function filesOf(pattern: RegExp): Promise<readonly (readonly [string, number])[]> {
  const names = (await readdir(join(whole, DATA))).filter((name) => pattern.test(name));
  return Promise.all(names.map(async (name) => [name, (await readFile(join(whole, DATA, name))).length] as const));
}

describe("S1 what is damaged is rebuilt, and the reason is told", () => {
  it("what is not damaged is trusted", async () => {
    const nothing = { what: "nothing", inflict: async () => undefined };
    expect(await openDamaged("CURRENT", nothing)).toBe("whole");
    expect((await filesOf(/\.ldb$/)).length).toBe(LAST - 1);
    expect((await filesOf(/\.log$/)).length).toBe(1);
  });

  it.each([/^CURRENT$/, /^MANIFEST-/, /\.ldb$/])("in every file %s", TIMEOUT, async (pattern) => {
    const trusted: string[] = [];
    for (const [index, [name, length]] of (await filesOf(pattern)).entries()) {
      for (const damage of damagesOf(length, index === 0 ? FOOTER_BYTES : 2)) {
        if ((await openDamaged(name, damage)) !== "rebuild") trusted.push(`${name} ${damage.what}`);
      }
    }
    expect(trusted).toEqual([]);
  });

  it("in every log, but for what is lost at its end: that gives an older state", TIMEOUT, async () => {
    for (const [name, length] of await filesOf(/\.log$/)) {
      const outcomes = new Set<string>();
      for (const damage of damagesOf(length, 16)) {
        const outcome = await openDamaged(name, damage);
        expect(outcome, `${name} ${damage.what}`).not.toBe("whole");
        outcomes.add(outcome);
      }
      expect([...outcomes].sort()).toEqual(["older", "rebuild"]);
    }
  });

  it("notes of LevelDB do not matter", async () => {
    for (const [name, length] of await filesOf(NOTES)) {
      for (const damage of damagesOf(length, 0).slice(-4)) expect(await openDamaged(name, damage)).toBe("whole");
    }
  });
});
