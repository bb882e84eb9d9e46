/** The laws of the conformance kit on the disk of this machine and on the one in memory. The kit's names of tests quote the clauses. */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BackendHarness, StorageHarness } from "@tidemark/conformance";
import { conformance } from "@tidemark/conformance/vitest";
import { type CheckpointStorage, systemClock } from "@tidemark/core";
import type { Files } from "../src/files.js";
import { directory, filesystem } from "../src/index.js";
import { nodeFiles } from "../src/node-files.js";
import { FaultFiles } from "./support/fault-files.js";
import { FaultPlan, from } from "./support/fault-plan.js";
import { faultyFiles } from "./support/faulty-files.js";

/** A directory of some disk; each handle is a process with operations of its own. */
interface DirectoryPlace {
  readonly path: string;
  readonly files: Files;
  readonly processes: Map<CheckpointStorage, FaultPlan>;
}

function reopen({ path, files, processes }: DirectoryPlace): CheckpointStorage {
  const plan = new FaultPlan();
  const storage = directory(path, { files: faultyFiles(files, plan) });
  processes.set(storage, plan);
  return storage;
}

function crash({ processes }: DirectoryPlace, handle: CheckpointStorage): void {
  processes.get(handle)?.inject({ kind: "crash" }, from(0));
}

/** Strikes at the handle that was opened last. */
function faults({ processes }: DirectoryPlace, nth: number): () => boolean {
  const plan = [...processes.values()].at(-1) as FaultPlan;
  let hasStruck = false;
  const index = plan.count + nth;
  plan.inject({ kind: "error", code: "EIO" }, { when: (call) => call.index === index && (hasStruck = true) });
  return () => {
    plan.heal();
    return hasStruck;
  };
}

const common = { reopen, crash, faults, advance: () => {} } as const;

const onThisMachine: BackendHarness<DirectoryPlace> = {
  ...common,
  contract: "backend",
  name: "filesystem on this machine",
  capabilities: { durable: true },
  async create() {
    const path = await mkdtemp(join(tmpdir(), "tidemark-"));
    return { path: join(path, "a", "store"), files: nodeFiles, processes: new Map() };
  },
  backend: () => filesystem({ directory: join(tmpdir(), "tidemark-unused") }),
  destroy: ({ path }) => rm(join(path, "..", ".."), { recursive: true }),
  readBack: ({ path }, name) => readFile(join(path, name)).catch(() => undefined),
  corrupt: ({ path }, name, bytes) => (bytes === undefined ? rm(join(path, name)) : writeFile(join(path, name), bytes)),
};

const inMemory: StorageHarness<DirectoryPlace> = {
  ...common,
  contract: "storage",
  name: "filesystem on a disk in memory",
  capabilities: { durable: true },
  inapplicable: { corrupt: "the disk in memory has no second way in" },
  create() {
    const files = new FaultFiles();
    // Else the files of processes that run would look as old as those that the dead have left.
    files.setTime(systemClock.now());
    return { path: "/a/store", files, processes: new Map() };
  },
  readBack({ path, files }, name) {
    const node = (files as FaultFiles).image().get(`${path}/${name}`);
    return node instanceof Uint8Array ? node : undefined;
  },
};

conformance(onThisMachine);
conformance(inMemory);
