/** What is there after a process was killed, and what another process may do meanwhile. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "@tidemark/conformance";
import { hasCode, systemClock } from "@tidemark/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lsm } from "../src/index.js";
import { Child, writeHistory } from "./support/child.js";
import { contentOf, deltaOf, FENCE, GROUPS, markOf, SCOPE, stateAt } from "./support/history.js";

const LAST = 12;
const KILLS = 12;
/** Small, so that tables are written and merged all the time. */
const OPTIONS = { writeBufferSize: 128 * 1024, targetFileSizeBase: 1024 * 1024 } as const;

let place: string;
let directory: string;
let history: string;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "tidemark-lsm-"));
  directory = join(place, "work");
  history = join(place, "history.json");
  await writeHistory(history, LAST, OPTIONS);
});

afterEach(async () => {
  await rm(place, { recursive: true });
});

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    systemClock.schedule(delayMs, resolve, true);
  });
}

describe("a process that is killed", () => {
  it("S5, S6: at any moment loses nothing that was applied, and says what it was applying", {
    timeout: 120_000,
  }, async () => {
    const random = seededRandom(5);
    let interrupted = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const directoryOfKill = join(place, String(kill));
      const child = Child.start(directoryOfKill, history);
      await child.says(["open", "1", "4", "9"][kill % 4] as string);
      await sleep(random.below(40));
      await child.kill();

      const store = lsm({ directory: directoryOfKill, ...OPTIONS }).store.create();
      const [found, ...more] = await store.open(SCOPE, FENCE);
      expect(more).toEqual([]);
      expect(store.emptyBecause).toBeUndefined();
      const acknowledged = Number(child.said.at(-1)) || 0;
      const mark = found?.mark.checkpoint ?? 0;
      expect(mark).toBeGreaterThanOrEqual(acknowledged);
      expect(mark).toBeLessThanOrEqual(acknowledged + 1);
      if (found?.applying === undefined) {
        if (found !== undefined) expect(await contentOf(store)).toEqual(stateAt(mark));
      } else {
        interrupted += 1;
        expect(found.applying).toEqual(markOf(mark + 1));
      }
      for (let id = mark + 1; id <= LAST; id++) await store.apply(markOf(id), deltaOf(id));
      expect(await contentOf(store)).toEqual(stateAt(LAST));
      await store.close();
    }
    expect(interrupted).toBeGreaterThan(0);
  });

  it("S5 gives a store back that goes on where it was", async () => {
    const first = Child.start(directory, history);
    await first.says("5");
    await first.kill();
    const second = Child.start(directory, history);
    await second.says(String(LAST));
    await second.kill();
    const store = lsm({ directory, ...OPTIONS }).store.create();
    expect(await store.open(SCOPE, FENCE)).toEqual([{ groups: GROUPS.ranges[0], mark: markOf(LAST) }]);
    expect(await contentOf(store)).toEqual(stateAt(LAST));
    await store.close();
  });
});

describe("two processes", () => {
  it("S2 on one directory: the second is refused until the first has gone, and changes nothing", async () => {
    const child = Child.start(directory, history);
    await child.says("2");
    const store = lsm({ directory, ...OPTIONS }).store.create();
    for (let attempt = 0; attempt < 3; attempt++) {
      const refused = await store.open(SCOPE, FENCE).catch((error: unknown) => error);
      expect(hasCode(refused, "UNAVAILABLE")).toBe(true);
      expect(String(refused)).toMatch(/open already.*Close the other task, or end the other process/);
    }
    await child.says(String(LAST));
    await child.kill();
    expect(await store.open(SCOPE, FENCE)).toEqual([{ groups: GROUPS.ranges[0], mark: markOf(LAST) }]);
    expect(await contentOf(store)).toEqual(stateAt(LAST));
    await store.close();
  });
});
