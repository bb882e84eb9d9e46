/** What the kit's own tests run on. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
