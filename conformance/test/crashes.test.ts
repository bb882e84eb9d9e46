/** (h) and (i): the process dies at any file operation; the power goes at any moment. */

import { describe, expect, it } from "vitest";
import type { Harness } from "../src/harness.js";
import { type Knowledge, live, NOTHING, recover } from "../src/properties/scenario.js";
import { type CrashPoint, crashPoints } from "./support/crash-points.js";
import { diskPlace, memoryHarness } from "./support/harnesses.js";
import { PROPERTY_TIMEOUT_MS, settings } from "./support/settings.js";
import { crashStates, FaultFiles } from "./support/workspace.js";

const { runs: thoroughness, seed } = settings(1);

/** Each life of a process draws other names. */
function on(files: FaultFiles, life: number): Harness {
  const place = diskPlace(files, 100 * life);
  return { ...memoryHarness, name: "filesystem", place: () => place };
}

const EMPTY: CrashPoint = { image: new Map(), knowledge: NOTHING };

describe("T20 the state after a recovery is the last acknowledged checkpoint, or the one in flight", () => {
  it("after a crash at every file operation", { timeout: PROPERTY_TIMEOUT_MS }, async () => {
    const points = await crashPoints(EMPTY, (files, observer) => live(on(files, 0), observer));
    for (const { image, knowledge } of points) {
      await recover(on(new FaultFiles(image), 1), { knowledge, round: 2 });
    }
    expect(points.length).toBeGreaterThan(80);
  });

  it("after a second crash during the recovery", { timeout: PROPERTY_TIMEOUT_MS }, async () => {
    const firsts = sampled(
      await crashPoints(EMPTY, (files, observer) => live(on(files, 0), observer)),
      10 * thoroughness,
    );
    for (const first of firsts) {
      const { knowledge } = first;
      const seconds = await crashPoints(first, (files, observer) =>
        recover(on(files, 1), { knowledge, round: 2 }, observer),
      );
      for (const second of sampled(seconds, 10 * thoroughness)) {
        await recover(on(new FaultFiles(second.image), 2), { knowledge: second.knowledge, round: 4 });
      }
    }
  });

  it("after a loss of power at any moment", { timeout: PROPERTY_TIMEOUT_MS }, async () => {
    const files = new FaultFiles();
    const known: { readonly length: number; readonly knowledge: Knowledge }[] = [{ length: 0, knowledge: NOTHING }];
    await live(on(files, 0), { learned: (knowledge) => known.push({ length: files.log.length, knowledge }) });
    const states = [...crashStates(files.log, { seed, limitPerCut: 64 })];
    for (const { cut, image } of sampled(states, 250 * thoroughness)) {
      const knowledge = known.findLast(({ length }) => length <= cut)?.knowledge ?? NOTHING;
      await recover(on(new FaultFiles(image), 1), { knowledge, round: 2 });
    }
    expect(states.length).toBeGreaterThan(200);
  });
});

/** About `count` of `items`, spread evenly, others with another seed. */
function sampled<T>(items: readonly T[], count: number): T[] {
  const stride = Math.max(1, Math.round(items.length / count));
  return items.filter((_, index) => index % stride === seed % stride);
}
