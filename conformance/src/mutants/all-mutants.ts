/** Everything that the kit has broken, and the laws that are there to catch it. */

import { type CheckpointStorage, memoryStorage, stickyKeyGroups } from "@tidemark/core";
import { BROKEN_ASSIGNMENTS, BROKEN_CHECKPOINTS, BROKEN_LISTENERS } from "../broken/broken-checkpoints.js";
import { BROKEN_CONTAINMENT } from "../broken/broken-containment.js";
import { BROKEN_EXPIRY } from "../broken/broken-expiry.js";
import type { BrokenFeature, FeatureCatcher } from "../broken/broken-feature.js";
import { BROKEN_JOBS } from "../broken/broken-jobs.js";
import { BROKEN_MAPS, BROKEN_MERGES, BROKEN_MIGRATIONS } from "../broken/broken-merges.js";
import { BROKEN_REGISTERS } from "../broken/broken-registers.js";
import { BROKEN_STORAGES, type BrokenStorage, brokenPlace, type Catcher } from "../broken/broken-storages.js";
import { BROKEN_RESULTS, type BrokenResults } from "../broken/broken-results.js";
import { BROKEN_SAVEPOINTS } from "../broken/broken-savepoints.js";
import { BROKEN_TIMERS } from "../broken/broken-timers.js";
import type { Harness, Place } from "../harness.js";
import { BROKEN_OWNERS, brokenOwnerHarness } from "../laws-of-stores/broken-owners.js";
import { BROKEN_STORES } from "../laws-of-stores/broken-stores.js";
import { ALL_LAWS } from "../laws/all-laws.js";
import { handleOn } from "../reference/handle-on.js";
import { MEMORY_HARNESS } from "../reference/memory-harness.js";
import {
  TRANSACTIONAL_HARNESS,
  type TransactionalMemory,
  transactionalHandle,
} from "../reference/transactional-memory.js";
import type { AdapterHarness, BackendHarness } from "../runner/adapter-harness.js";
import type { Law } from "../runner/law.js";
import { brokenStoreAdapter, storeAdapter } from "../runner/null-harness.js";

/** One adapter or job with one fault. */
export interface Mutant {
  readonly what: string;
  /** Laws that are there for it: one of them must fail. */
  readonly laws: readonly Law[];
  readonly harness: AdapterHarness;
  /** Stands between the kit and the jobs of properties. */
  readonly wrapJobs?: (jobs: Harness) => Harness;
}

const LAWS: Readonly<Record<Catcher | FeatureCatcher, string>> = {
  "any history": "any-history",
  containment: "contained",
  contention: "contended-objects",
  retention: "retained-restores",
  "race to own": "race-to-own",
  ttl: "ttl-is-exact",
  timers: "timers-fire-once",
  barrier: "firing-meets-barrier",
  migration: "migration-is-lossless",
  merging: "merging-moves-all",
  listener: "listener-is-told",
  values: "plain-value",
  maps: "plain-map",
  chains: "full-is-chain",
  rescaling: "rescaling-is-identity",
  savepoints: "same-savepoints",
};

const FEATURES: readonly BrokenFeature[] = [
  ...BROKEN_EXPIRY,
  ...BROKEN_TIMERS,
  ...BROKEN_MERGES,
  ...BROKEN_MIGRATIONS,
  ...BROKEN_MAPS,
  ...BROKEN_CHECKPOINTS,
  ...BROKEN_LISTENERS,
  ...BROKEN_SAVEPOINTS,
];

/** Every broken storage, job, feature and store of the kit. */
export function allMutants(): readonly Mutant[] {
  const storages = [...BROKEN_STORAGES, ...BROKEN_REGISTERS, ...BROKEN_CONTAINMENT].map((broken) => ({
    what: `a storage that ${broken.what}`,
    laws: lawsNamed(LAWS[broken.caughtBy]),
    harness: brokenStorageHarness(broken),
  }));
  const jobs = BROKEN_JOBS.map(({ what, wrap }) => jobMutant(what, "any-history", () => ({ wrap })));
  const features = FEATURES.map(({ what, caughtBy, make }) => jobMutant(what, LAWS[caughtBy], make));
  const assignments = BROKEN_ASSIGNMENTS.map(({ what, make }) =>
    jobMutant(what, "sticky-moves-few", () => ({ assign: make(stickyKeyGroups) })),
  );
  const stores = BROKEN_STORES.map((broken) => ({
    what: `a store that ${broken.what}`,
    laws: lawsOfClause(broken.clause),
    harness: brokenStoreAdapter(broken),
  }));
  const owners = BROKEN_OWNERS.map(({ what, change }) => ({
    what: `a store that ${what}`,
    laws: lawsNamed("contended-scopes"),
    harness: storeAdapter(what, () => brokenOwnerHarness(change)),
  }));
  const results = BROKEN_RESULTS.map((broken) => ({
    what: `a storage that ${broken.what}`,
    laws: lawsNamed(broken.law),
    harness: brokenResultsHarness(broken),
  }));
  return [...storages, ...results, ...jobs, ...features, ...assignments, ...stores, ...owners];
}

/** The storage in memory with transactions, broken. */
export function brokenResultsHarness({ what, make }: BrokenResults): BackendHarness<TransactionalMemory> {
  return {
    ...TRANSACTIONAL_HARNESS,
    name: `a storage that ${what}`,
    reopen(place) {
      const handle = transactionalHandle(place);
      const sound = handle.putWith?.bind(handle) as NonNullable<typeof handle.putWith>;
      return Object.assign(handle, { putWith: make(sound, { place, handle }) });
    },
  };
}

/** The storage in memory, broken. */
export function brokenStorageHarness(broken: BrokenStorage): BackendHarness<Place> {
  const backend = () => MEMORY_HARNESS.backend();
  return {
    name: `a storage that ${broken.what}`,
    contract: "backend",
    create() {
      const shared: CheckpointStorage = memoryStorage();
      return brokenPlace({ open: () => handleOn(shared) }, broken);
    },
    reopen: (place) => place.open(),
    destroy: () => broken.repair?.(),
    backend,
  };
}

function jobMutant(what: string, law: string, make: () => Partial<Harness>): Mutant {
  return {
    what: `a job: ${what}`,
    laws: lawsNamed(law),
    harness: MEMORY_HARNESS,
    wrapJobs: (jobs) => ({ ...jobs, ...make() }),
  };
}

/** The laws of one clause of stores; that of whole histories has all clauses. */
function lawsOfClause(clause: string): readonly Law[] {
  const isOfClause = ({ contract, clauses }: Law): boolean => contract === "store" && clauses.join() === clause;
  const found = ALL_LAWS.filter(isOfClause);
  if (found.length === 0) throw new RangeError(`No law of stores. clause=${clause}.`);
  return found;
}

/** @throws {RangeError} if there is no such law */
function lawsNamed(id: string): readonly Law[] {
  const found = ALL_LAWS.filter((law) => law.id === id);
  if (found.length === 0) throw new RangeError(`No law has that name. name=${id}.`);
  return found;
}
