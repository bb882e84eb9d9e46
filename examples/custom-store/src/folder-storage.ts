/** Checkpoints as one file per object: a stranger's storage, written from the contract alone. Short, and not tuned. */

import fs from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { ByteRange, CheckpointStorage, PutOptions, PutOutcome, StoredObject } from "@tidemark/core";
import { partsOfObjectName, partsOfObjectPrefix, StateBackendError, systemRandom } from "@tidemark/core";
import { collect } from "./collect.js";
import { attempt, ifCode, ifMissing } from "./system-errors.js";

/** `files` is the system's, or what a test puts in its place. */
export class FolderStorage implements CheckpointStorage {
  readonly #root: string;
  readonly #files: typeof fs;
  readonly #underWay = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(root: string, files: typeof fs = fs) {
    this.#root = root;
    this.#files = files;
  }

  put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutOutcome> {
    return this.#whileOpen(async () => {
      const path = join(this.#root, ...partsOfObjectName(name));
      const bytes = await collect(body);
      return attempt(async () => {
        if (await this.#link(path, bytes)) return "created";
        const stored = await this.#files.readFile(path);
        if (options?.ifAbsent === true) return "exists";
        if (stored.equals(bytes)) return "created";
        throw new StateBackendError("CHECKPOINT_CORRUPT", `There are other bytes under this name. name=${name}.`);
      });
    });
  }

  async *get(name: string, range?: ByteRange): AsyncGenerator<Uint8Array> {
    yield await this.#whileOpen(async () => {
      const path = join(this.#root, ...partsOfObjectName(name));
      const bytes = await attempt(() => this.#files.readFile(path).catch(ifMissing(undefined)));
      if (bytes === undefined) throw new StateBackendError("CHECKPOINT_NOT_FOUND", `No such object. name=${name}.`);
      const { start, end } = range ?? { start: 0, end: bytes.length };
      const isRange = [start, end, end - start].every((number) => Number.isSafeInteger(number) && number >= 0);
      if (!isRange) throw new RangeError(`No such range. start=${start} end=${end}.`);
      if (end > bytes.length) throw new StateBackendError("CHECKPOINT_CORRUPT", `Too short an object. name=${name}.`);
      return bytes.subarray(start, end);
    });
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    const paths = await this.#whileOpen(async () => {
      const folder = join(this.#root, ...partsOfObjectPrefix(prefix));
      const options = { recursive: true, withFileTypes: true } as const;
      const found = await attempt(() => this.#files.readdir(folder, options).catch(ifMissing([])));
      return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    });
    for (const path of paths) {
      const status = await attempt(() => this.#files.stat(path).catch(ifMissing(undefined)));
      if (status !== undefined) yield { name: relative(this.#root, path), bytes: status.size };
    }
  }

  remove(names: readonly string[]): Promise<void> {
    return this.#whileOpen(async () => {
      const paths = names.map((name) => join(this.#root, ...partsOfObjectName(name)));
      for (const path of paths) await attempt(() => this.#files.rm(path).catch(ifMissing(undefined)));
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#underWay);
  }

  /** A link never replaces, and appears whole: of many creators one wins. Resolves to whether it was this one. */
  async #link(path: string, bytes: Uint8Array): Promise<boolean> {
    const temporary = join(`${this.#root}.tmp`, Buffer.from(systemRandom.bytes(16)).toString("hex"));
    for (const file of [temporary, path]) await this.#files.mkdir(dirname(file), { recursive: true });
    await this.#files.writeFile(temporary, bytes, { flush: true });
    const isFirst = await this.#files.link(temporary, path).then(() => true, ifCode(["EEXIST"], false));
    await this.#files.rm(temporary);
    return isFirst;
  }

  async #whileOpen<T>(run: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new StateBackendError("CLOSED", "The storage is closed. Open another one.");
    const call = run();
    this.#underWay.add(call);
    return call.finally(() => this.#underWay.delete(call));
  }
}
