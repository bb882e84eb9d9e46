/** For the command line of the kit: `tidemark-conformance verify packages/filesystem/test/harness.mjs`. */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directory, filesystem } from "../dist/index.js";
import { nodeFiles } from "../dist/node-files.js";

/** What a process does with files: it may die, and an operation may fail. */
class Process {
  isDead = false;
  left = Number.POSITIVE_INFINITY;
  openFiles = new Set();

  /** The system closes what a dead process has open. */
  async die() {
    this.isDead = true;
    for (const file of this.openFiles) await file.close();
  }

  async run(operation) {
    // A dead process says nothing, and nothing more happens.
    if (this.isDead) return new Promise(() => {});
    if (this.left-- === 0) throw Object.assign(new Error("EIO: i/o error"), { code: "EIO", errno: -5 });
    return operation();
  }

  /** `target` with each method as far as this process lets it. */
  wrap(target) {
    const methods = Object.keys(target).filter((name) => typeof target[name] === "function");
    const wrapped = methods.map((name) => [name, (...given) => this.run(() => target[name](...given))]);
    // The handle is given back in any case, as the system does; only the report is a failure.
    const close = async () => {
      this.openFiles.delete(target);
      await target.close();
      await this.run(() => undefined);
    };
    return { ...target, ...Object.fromEntries(wrapped), ...("close" in target ? { close } : {}) };
  }

  get files() {
    const opening = (name) => async (path) => {
      const file = await this.run(() => nodeFiles[name](path));
      this.openFiles.add(file);
      return this.wrap(file);
    };
    return { ...this.wrap(nodeFiles), create: opening("create"), open: opening("open") };
  }
}

export const harness = {
  name: "filesystem",
  contract: "backend",
  capabilities: { durable: true },
  async create() {
    const root = await mkdtemp(join(tmpdir(), "tidemark-"));
    return { root, path: join(root, "a", "store"), processes: new Map() };
  },
  reopen({ path, processes }) {
    const process = new Process();
    const storage = directory(path, { files: process.files });
    processes.set(storage, process);
    return storage;
  },
  backend: () => filesystem({ directory: join(tmpdir(), "tidemark-unused") }),
  destroy: ({ root }) => rm(root, { recursive: true }),
  crash: ({ processes }, handle) => processes.get(handle).die(),
  readBack: ({ path }, name) => readFile(join(path, name)).catch(() => undefined),
  corrupt: ({ path }, name, bytes) => (bytes === undefined ? rm(join(path, name)) : writeFile(join(path, name), bytes)),
  faults({ processes }, nth) {
    const process = [...processes.values()].at(-1);
    process.left = nth;
    return () => {
      const hasStruck = process.left < 0;
      process.left = Number.POSITIVE_INFINITY;
      return hasStruck;
    };
  },
  advance: () => {},
};
