/** For the command line of the kit: `tidemark-conformance verify packages/lsm/test/harness.mjs`, and `--export store`. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStorage } from "@tidemark/core";
import { directory } from "@tidemark/filesystem";
import { lsm } from "../dist/index.js";

const newPlace = () => mkdtemp(join(tmpdir(), "tidemark-lsm-"));
const remove = (place) => rm(place, { recursive: true, force: true });

const working = await newPlace();
let backends = 0;

/** Working state in LevelDB, and checkpoints where its jobs have them by default: in a directory. */
export const harness = {
  name: "lsm",
  contract: "backend",
  inapplicable: {
    crash: "the checkpoints are the filesystem's: packages/filesystem/test/harness.mjs",
    faults: "the checkpoints are the filesystem's: packages/filesystem/test/harness.mjs",
    corrupt: "the checkpoints are the filesystem's: packages/filesystem/test/harness.mjs",
    readBack: "the checkpoints are the filesystem's: packages/filesystem/test/harness.mjs",
  },
  create: newPlace,
  reopen: (place) => directory(place),
  backend: () =>
    lsm({ directory: join(working, String(++backends)), checkpoints: memoryStorage(), preset: "low-memory" }),
  destroy: remove,
  advance: () => {},
};

export const store = {
  name: "lsm",
  contract: "store",
  takeover: "refused",
  create: newPlace,
  reopen: (place) => lsm({ directory: place, checkpoints: memoryStorage(), preset: "low-memory" }).store.create(),
  // The lock dies only with its process: crash.test.ts kills some.
  crash: (_place, handle) => handle.close(),
  destroy: remove,
};
