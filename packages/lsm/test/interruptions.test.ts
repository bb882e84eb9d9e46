/** An end of the process before and after every single call of LevelDB that writes. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BinaryKey, type Change, KeyGroups, memoryStorage, type Store } from "@tidemark/core";
import { ClassicLevel } from "classic-level";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lsm } from "../src/index.js";
import type { LevelDatabase } from "../src/level-database.js";
import { contentOf, deltaOf, FENCE, GROUPS, keyOf, markOf, SCOPE, stateAt } from "./support/history.js";
import { watchedLevel } from "./support/watched-level.js";

class Death extends Error {}

/** `database` until its `callsLeft`th writing call; from then on, or from behind that, there is no process any more. */
function dying(database: ClassicLevel<Buffer, Buffer>, callsLeft: number, when: "before" | "after"): LevelDatabase {
  let left = callsLeft;
  return watchedLevel(database, async (_what, call) => {
    left -= 1;
    if (left < 0 || (left === 0 && when === "before")) throw new Death();
    await call();
    if (left === 0) throw new Death();
  });
}

let place: string;
let count = 0;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "tidemark-lsm-"));
});

afterEach(async () => {
  await rm(place, { recursive: true });
});

async function openOn(
  database: LevelDatabase,
): Promise<{ readonly store: Store; readonly applied: Awaited<ReturnType<Store["open"]>> }> {
  const store = lsm({ database, checkpoints: memoryStorage() }).store.create();
  return { store, applied: await store.open(SCOPE, FENCE) };
}

/**
 * Runs `work` on a store at checkpoint 1, and lets it die at each call in turn until it comes to its end; `judge` looks at what is left.
 * Resolves with the number of deaths.
 */
async function dieEverywhere(
  work: (store: Store) => Promise<void>,
  judge: (store: Store, applied: Awaited<ReturnType<Store["open"]>>) => Promise<void>,
): Promise<number> {
  let deaths = 0;
  for (let calls = 1; ; calls++) {
    for (const when of ["before", "after"] as const) {
      const database = new ClassicLevel<Buffer, Buffer>(join(place, String(count++)), {
        keyEncoding: "buffer",
        valueEncoding: "buffer",
      });
      await database.open();
      const first = await openOn(database);
      await first.store.apply(markOf(1), deltaOf(1));
      await first.store.close();
      const doomed = await openOn(dying(database, calls, when));
      const hasDied = await work(doomed.store).then(
        () => false,
        (error: unknown) => error instanceof Death,
      );
      await doomed.store.close();
      const { store, applied } = await openOn(database);
      expect(store.emptyBecause).toBeUndefined();
      await judge(store, applied);
      await store.close();
      await database.close();
      if (!hasDied) return deaths;
      deaths += 1;
    }
  }
}

const SOME = KeyGroups.of([{ first: 1, last: 2 }]);
const TIMEOUT = { timeout: 120_000 };

describe("an end at every call", () => {
  it("S6 of an apply: what is there is marked, and applying again makes it whole", TIMEOUT, async () => {
    const seen = new Set<string>();
    const deaths = await dieEverywhere(
      (store) => store.apply(markOf(2), deltaOf(2)),
      async (store, [found, ...more]) => {
        expect(more).toEqual([]);
        expect(found?.groups).toEqual(GROUPS.ranges[0]);
        seen.add(`${found?.mark.checkpoint} ${found?.applying?.checkpoint ?? "whole"}`);
        if (found?.applying === undefined) expect(await contentOf(store)).toEqual(stateAt(found?.mark.checkpoint ?? 0));
        await store.apply(markOf(2), deltaOf(2));
        expect(await contentOf(store)).toEqual(stateAt(2));
      },
    );
    expect(deaths).toBeGreaterThan(5);
    expect([...seen].sort()).toEqual(["1 2", "1 whole", "2 whole"]);
  });

  it("S5, S6 of an apply that clears: the same", TIMEOUT, async () => {
    const prefix = keyOf(1).slice(0, 2) as BinaryKey;
    const changes: readonly Change[] = [
      { kind: "clear", prefix },
      { kind: "put", key: keyOf(1), value: Buffer.from("new") },
      { kind: "clear", prefix: keyOf(2) },
      { kind: "put", key: keyOf(2), value: Buffer.from("new") },
    ];
    const delta = {
      async *[Symbol.asyncIterator]() {
        yield changes;
      },
    };
    const expected = new Map([...stateAt(1)].filter(([key]) => !key.startsWith(prefix)));
    for (const index of [1, 2]) expected.set(keyOf(index), "new");
    await dieEverywhere(
      (store) => store.apply(markOf(2), delta),
      async (store, [found]) => {
        if (found?.applying === undefined) {
          expect(await contentOf(store)).toEqual(found?.mark.checkpoint === 1 ? stateAt(1) : expected);
        }
        await store.apply(markOf(2), delta);
        expect(await contentOf(store)).toEqual(expected);
      },
    );
  });

  it("S7 of a load: its groups are whole or not reported, the others untouched", TIMEOUT, async () => {
    const isIn = (key: string): boolean => SOME.has(key.charCodeAt(1));
    const rows = [...stateAt(3)].filter(([key]) => isIn(key)).sort(([a], [b]) => (a < b ? -1 : 1));
    const rest = new Map([...stateAt(1)].filter(([key]) => !isIn(key)));
    const load = (store: Store): Promise<void> =>
      store.load(
        SOME,
        (async function* () {
          yield rows.map(([key, value]) => ({ key, value: Buffer.from(value) }));
        })(),
        markOf(3),
      );
    const seen = new Set<string>();
    await dieEverywhere(load, async (store, applied) => {
      const marks = applied.map(({ groups, mark }) => `${groups.first}-${groups.last}:${mark.checkpoint}`).join(" ");
      seen.add(marks);
      const content = await contentOf(store);
      expect(new Map([...content].filter(([key]) => !isIn(key)))).toEqual(rest);
      if (marks === "0-3:1") expect(content).toEqual(stateAt(1));
      await load(store);
      expect(await contentOf(store)).toEqual(new Map([...rest, ...rows]));
    });
    expect([...seen].sort()).toEqual(["0-0:1 1-2:3 3-3:1", "0-0:1 3-3:1", "0-3:1"]);
  });

  it("S8 of a drop: its groups are whole or not reported, the others untouched", TIMEOUT, async () => {
    const rest = new Map([...stateAt(1)].filter(([key]) => !SOME.has(key.charCodeAt(1))));
    await dieEverywhere(
      (store) => store.drop(SOME),
      async (store, applied) => {
        if (applied.length === 1) expect(await contentOf(store)).toEqual(stateAt(1));
        await store.drop(SOME);
        expect(await contentOf(store)).toEqual(rest);
      },
    );
  });
});
