/** What the kit's own tests run on. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStorage, memoryStore, type Store, type StoreProvider, systemClock } from "@tidemark/core";
import type { Harness, Place } from "../../src/harness.js";
import { memoryPlace } from "../../src/harness.js";
import { ManualClock } from "../../src/faults/manual-clock.js";
import { seededRandom } from "../../src/faults/seeded-random.js";
import { directory, FaultFiles, filesystem, memory } from "./workspace.js";

/** Everything in memory. */
export const memoryHarness: Harness = { name: "memory", backend: () => memory(), place: memoryPlace };

/** Checkpoints in directories of a disk in memory. */
export const diskHarness: Harness = {
  name: "filesystem on a disk in memory",
  backend: () => memory(),
  place: () => diskPlace(new FaultFiles()),
};

/** State in stores in memory that are read without a promise, hardly any of it cached. */
export const pointHarness: Harness = storedHarness("a store, read at once", (provider) => provider);

/** State in stores in memory that have to be waited for. */
export const asyncHarness: Harness = storedHarness("a store, waited for", (provider) => ({
  cacheBytes: provider.cacheBytes,
  create: () => waitedFor(provider.create()),
}));

/** One place for all jobs of a history: what others have left there must not be taken for one's own. */
function storedHarness(name: string, wrap: (provider: StoreProvider) => StoreProvider): Harness {
  const newStore = (): StoreProvider => wrap(memoryStore({ cacheBytes: 4096 }));
  let store = newStore();
  const sync = name.endsWith("at once") ? "point" : false;
  return {
    name,
    begin: () => void (store = newStore()),
    backend: () => ({ name, sync, checkpoints: memoryStorage(), store }),
    place: memoryPlace,
  };
}

function waitedFor(store: Store): Store {
  return {
    open: (scope, fence) => store.open(scope, fence),
    getMany: async (keys) => {
      await systemClock.yield();
      return store.getMany(keys);
    },
    scan: (range) => store.scan(range),
    apply: async (mark, changes) => {
      await systemClock.yield();
      await store.apply(mark, changes);
    },
    load: (groups, rows, mark) => store.load(groups, rows, mark),
    drop: (groups) => store.drop(groups),
    close: () => store.close(),
  };
}

const DISK_ROOT = "/data/store";

/** `firstSeed` tells the temporary names of one process from those of another on the same disk. */
export function diskPlace(files: FaultFiles, firstSeed = 0): Place {
  let seed = firstSeed;
  return {
    open: () => directory(DISK_ROOT, { files, random: seededRandom(++seed), clock: new ManualClock() }),
  };
}

/** Checkpoints in directories of this machine; `dispose` removes them. */
export function realHarness(): Harness & { dispose(): void } {
  const root = mkdtempSync(join(tmpdir(), "tidemark-conformance-"));
  let places = 0;
  return {
    name: "filesystem",
    backend: () => filesystem({ directory: join(root, "own") }),
    place: () => {
      const path = join(root, String(++places));
      return { open: () => directory(path) };
    },
    dispose: () => rmSync(root, { recursive: true, force: true }),
  };
}
