/** Each broken storage and job is caught by the property that is there for it. */

import { stickyKeyGroups } from "@tidemark/core";
import { describe, expect, it } from "vitest";
import { BROKEN_JOBS, soundJob } from "../src/broken/broken-jobs.js";
import { BROKEN_REGISTERS } from "../src/broken/broken-registers.js";
import { BROKEN_STORAGES, type BrokenStorage, brokenPlace, type Catcher } from "../src/broken/broken-storages.js";
import { BROKEN_ASSIGNMENTS, BROKEN_CHECKPOINTS, BROKEN_LISTENERS } from "../src/broken/broken-checkpoints.js";
import { BROKEN_CONTAINMENT } from "../src/broken/broken-containment.js";
import { BROKEN_EXPIRY } from "../src/broken/broken-expiry.js";
import { type FeatureCatcher, soundFeature } from "../src/broken/broken-feature.js";
import { BROKEN_MAPS, BROKEN_MERGES, BROKEN_MIGRATIONS } from "../src/broken/broken-merges.js";
import { BROKEN_SAVEPOINTS } from "../src/broken/broken-savepoints.js";
import { BROKEN_TIMERS } from "../src/broken/broken-timers.js";
import { checkProperty } from "../src/check-property.js";
import type { RunningJob } from "../src/commands/call-state.js";
import { codecOf } from "../src/commands/formats.js";
import { Coverage } from "../src/commands/coverage.js";
import type { Harness } from "../src/harness.js";
import { sameSavepoints } from "../src/differential/same-savepoints.js";
import { contendedObjects } from "../src/linearizability/contended-objects.js";
import { CATALOG, type StateSpec } from "../src/model/catalog.js";
import { anyHistory } from "../src/properties/any-history.js";
import { ttlIsExact } from "../src/properties/expiring.js";
import { mergingMovesAll } from "../src/properties/merging.js";
import { migrationIsLossless } from "../src/properties/migrations.js";
import { listenerIsTold } from "../src/properties/notifications.js";
import { rescalingIsIdentity } from "../src/properties/rescaling.js";
import { fullIsChain } from "../src/properties/checkpoint-chains.js";
import { listingIsTrue } from "../src/properties/retention.js";
import { stateKind } from "../src/properties/state-kinds.js";
import { stickyMovesFew } from "../src/properties/sticky-groups.js";
import { firingMeetsBarrier, timersFireOnce } from "../src/properties/timers.js";
import { raceToOwn } from "../src/properties/two-owners.js";
import { brokenStorageHarness } from "../src/mutants/all-mutants.js";
import { verify } from "../src/runner/verify.js";
import { memoryHarness } from "./support/harnesses.js";
import { PROPERTY_TIMEOUT_MS } from "./support/settings.js";

/** Always the same: a mutant that lives is a blind spot, not bad luck. The first failure is enough: nobody needs the smallest. */
const RUN = { seed: 1, endOnFailure: true };

const CATCHERS: Record<Exclude<Catcher, "containment">, (harness: Harness, runs?: number) => Promise<void>> = {
  "any history": (harness, runs = 120) =>
    checkProperty("broken", anyHistory(harness, new Coverage(), 60), { ...RUN, runs }),
  retention: (harness) => checkProperty("broken", listingIsTrue(harness, new Coverage()), { ...RUN, runs: 20 }),
  async contention(harness, runs = 100) {
    const newPlace = async () => {
      const place = harness.place();
      return { open: async () => place.open() };
    };
    const settings = { coverage: new Coverage(), isShared: true, hasFaults: false };
    await checkProperty("broken", contendedObjects(newPlace, settings), { ...RUN, runs });
  },
  async "race to own"(harness) {
    for (let call = 0; await raceToOwn(harness, { call, when: "before" }); call++);
  },
};

const FEATURE_CATCHERS: Record<FeatureCatcher, (harness: Harness) => Promise<void>> = {
  "any history": CATCHERS["any history"],
  ttl: (harness) => checkProperty("broken", ttlIsExact(harness, new Coverage()), { ...RUN, runs: 120 }),
  timers: (harness) => checkProperty("broken", timersFireOnce(harness, new Coverage()), { ...RUN, runs: 40 }),
  barrier: (harness) => checkProperty("broken", firingMeetsBarrier(harness, new Coverage()), { ...RUN, runs: 40 }),
  migration: (harness) => checkProperty("broken", migrationIsLossless(harness, new Coverage()), { ...RUN, runs: 20 }),
  merging: (harness) => checkProperty("broken", mergingMovesAll(harness, new Coverage()), { ...RUN, runs: 120 }),
  listener: (harness) => checkProperty("broken", listenerIsTold(harness, new Coverage()), { ...RUN, runs: 30 }),
  chains: (harness) => checkProperty("broken", fullIsChain(harness, new Coverage()), { ...RUN, runs: 10 }),
  values: (harness) => checkProperty("broken", stateKind(VALUE, harness, new Coverage()), { ...RUN, runs: 20 }),
  maps: (harness) => checkProperty("broken", stateKind(MAP, harness, new Coverage()), { ...RUN, runs: 20 }),
  savepoints: (harness) => checkProperty("broken", sameSavepoints(harness, new Coverage(), 40), { ...RUN, runs: 20 }),
  rescaling: (harness) => checkProperty("broken", rescalingIsIdentity(harness, new Coverage()), { ...RUN, runs: 20 }),
};

const VALUE = CATALOG[0] as StateSpec;
const MAP = CATALOG.find(({ kind }) => kind === "map") as StateSpec;

const FEATURES = [
  ...BROKEN_EXPIRY,
  ...BROKEN_TIMERS,
  ...BROKEN_MERGES,
  ...BROKEN_MIGRATIONS,
  ...BROKEN_MAPS,
  ...BROKEN_CHECKPOINTS,
  ...BROKEN_LISTENERS,
  ...BROKEN_SAVEPOINTS,
];

describe("what is not broken is not caught", () => {
  it.each(Object.keys(CATCHERS) as (keyof typeof CATCHERS)[])(
    "by %s",
    { timeout: PROPERTY_TIMEOUT_MS },
    async (catcher) => {
      const sound: BrokenStorage = { what: "is sound", caughtBy: catcher, make: () => () => ({}) };
      const wrap = (job: RunningJob): RunningJob => soundFeature(soundJob.wrap(job));
      // Other tests run it on what is sound far more often.
      await CATCHERS[catcher]({ ...memoryHarness, wrap, place: () => brokenPlace(memoryHarness.place(), sound) }, 40);
    },
  );
});

describe("a broken storage is caught", () => {
  it.each([...BROKEN_STORAGES, ...BROKEN_REGISTERS])("that $what", { timeout: PROPERTY_TIMEOUT_MS }, async (broken) => {
    const harness = { ...memoryHarness, place: () => brokenPlace(memoryHarness.place(), broken) };
    await expect(CATCHERS[broken.caughtBy as keyof typeof CATCHERS](harness)).rejects.toThrow();
  });

  it.each(BROKEN_CONTAINMENT)("that $what", async (broken) => {
    const report = await verify(brokenStorageHarness(broken), { only: ["contained"] });
    expect(report.laws.find(({ id }) => id === "contained")?.status).toBe("failed");
  });
});

describe("a broken job is caught", () => {
  it.each(BROKEN_JOBS)("$what", { timeout: PROPERTY_TIMEOUT_MS }, async ({ wrap }) => {
    await expect(CATCHERS["any history"]({ ...memoryHarness, wrap })).rejects.toThrow(/Property failed/);
  });
});

describe("a broken feature is caught", () => {
  it.each(FEATURES)("$what", { timeout: PROPERTY_TIMEOUT_MS }, async ({ caughtBy, make }) => {
    await expect(FEATURE_CATCHERS[caughtBy]({ ...memoryHarness, ...make() })).rejects.toThrow(/Property failed/);
  });

  it.each(BROKEN_ASSIGNMENTS)("$what", async ({ make }) => {
    const property = stickyMovesFew(make(stickyKeyGroups));
    await expect(checkProperty("broken", property, { ...RUN, runs: 50 })).rejects.toThrow(/Property failed/);
  });
});

describe("a sound feature is not caught", () => {
  it.each(Object.keys(FEATURE_CATCHERS).filter((name) => !(name in CATCHERS)) as FeatureCatcher[])(
    "by %s",
    { timeout: PROPERTY_TIMEOUT_MS },
    async (catcher) => {
      const wrap = (job: RunningJob): RunningJob => soundFeature(soundJob.wrap(job));
      await FEATURE_CATCHERS[catcher]({ ...memoryHarness, wrap, codecOf, declaredAs: (spec) => spec });
    },
  );

  it("by the dealing of key groups", async () => {
    await checkProperty("broken", stickyMovesFew(stickyKeyGroups), { ...RUN, runs: 50 });
  });
});

describe("what only another backend can tell", () => {
  it.each(BROKEN_SAVEPOINTS)(
    "is not caught by any history: $what",
    { timeout: PROPERTY_TIMEOUT_MS },
    async ({ make }) => {
      await CATCHERS["any history"]({ ...memoryHarness, ...make() }, 40);
    },
  );
});
