/**
 * Checkpoints in a directory of a POSIX filesystem.
 *
 * An object `a/b/c` is the file `<root>/a/b/c`. A put goes through these states; a crash or a loss of power in any of them
 * leaves the object wholly there or wholly absent:
 *
 *     temp file written --sync--> content durable --link--> visible --sync of the directory--> durable --unlink temp--> done
 *
 * Invariants:
 * - A final name appears by `link` only, which never replaces, and only after its content is durable.
 * - A call resolves after the directories it changed were synced; also where it found the change made before, since who
 *   made it may have died in between.
 * - A directory whose sync failed may be synced again, other than a file: its entries are metadata, which journaling
 *   filesystems either keep for the next sync or answer by refusing all further writes.
 * - Local filesystems only: on network filesystems `link` may be repeated or reordered behind our back.
 */

import { join, resolve } from "node:path";
import {
  Calls,
  isObjectNamePart,
  partsOfObjectName,
  partsOfObjectPrefix,
  quoted,
  StateBackendError,
  systemClock,
  systemRandom,
} from "@tidemark/core";
import type { ByteRange, CheckpointStorage, Clock, PutOptions, PutOutcome, Random, StoredObject } from "@tidemark/core";
import { DirectoryTree } from "./directory-tree.js";
import type { DirectoryEntry, Files, ReadableFile } from "./files.js";
import { attempt, isSystemError, refusal, succeeds } from "./io-error.js";
import type { Attempt, Purpose } from "./io-error.js";
import { nodeFiles } from "./node-files.js";
import { publish } from "./publish.js";
import { chunksOf, requireRange } from "./read-file.js";
import { findRoot, makeRoot, makeTempPlace } from "./root-directory.js";
import { TEMP_DIRECTORY, TempFiles } from "./temp-files.js";
import type { Body } from "./temp-files.js";

/** What `directory` takes its surroundings from; all of it for tests. */
export interface DirectoryOptions {
  /** @defaultValue the filesystem of this machine */
  readonly files?: Files;
  /** Names temporary files. @defaultValue the system's */
  readonly random?: Random;
  /** Tells how old the temporary files of dead processes are. @defaultValue the system's */
  readonly clock?: Clock;
}

/**
 * Checkpoints in the directory `path` of a local filesystem. It is made with the first object, and then belongs to
 * Tidemark: nothing else may write in it. Any number of handles and processes may use it at the same time.
 * @see docs/contract.md CS1
 */
export function directory(path: string, options: DirectoryOptions = {}): CheckpointStorage {
  return new DirectoryStorage(resolve(path), options);
}

const GET: Purpose = { failure: "Get failed" };
const LIST: Purpose = { failure: "List failed" };
const REMOVE: Purpose = { failure: "Remove failed", outcome: "unknown" };

class DirectoryStorage implements CheckpointStorage {
  readonly #path: string;
  readonly #files: Files;
  readonly #clock: Clock;
  readonly #temp: TempFiles;
  readonly #tree: DirectoryTree;
  readonly #calls = new Calls("Checkpoint storage is closed. Open the directory again.");
  readonly #readers = new Set<ReadableFile>();
  /** The root without symbolic links, once it was found: it must stay what it was then. */
  #root: string | undefined;
  #writableRoot: Promise<string> | undefined;

  constructor(path: string, options: DirectoryOptions) {
    this.#path = path;
    this.#files = options.files ?? nodeFiles;
    this.#clock = options.clock ?? systemClock;
    this.#temp = new TempFiles(this.#files, options.random ?? systemRandom);
    this.#tree = new DirectoryTree(this.#files);
  }

  async put(name: string, body: Body, options?: PutOptions): Promise<PutOutcome> {
    const segments = partsOfObjectName(name);
    return this.#calls.run(async () => {
      try {
        return await this.#put(segments, body, options?.ifAbsent === true);
      } catch (error) {
        // The next put opens the root anew: it may have been removed, and the failure may be over by then.
        this.#writableRoot = undefined;
        throw error;
      }
    });
  }

  async *get(name: string, range?: ByteRange): AsyncIterable<Uint8Array> {
    const segments = partsOfObjectName(name);
    if (range !== undefined) requireRange(range);
    const reader = await this.#calls.run(() => this.#openObject(name, segments));
    try {
      const what: Attempt = { ...GET, path: join(this.#path, name) };
      const chunks = chunksOf(reader, range ?? { start: 0, end: reader.status.bytes }, what);
      for (;;) {
        const next = await this.#calls.run(() => chunks.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await this.#calls.finish(() => this.#closeReader(reader));
    }
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    const segments = partsOfObjectPrefix(prefix);
    const top = await this.#calls.run(() => this.#findDirectory(segments, LIST));
    const pending = top === undefined ? [] : [{ path: top, prefix }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { path, prefix: above } = next;
      for (const entry of await this.#calls.run(() => this.#readDirectory(path))) {
        const name = above + entry.name;
        if (entry.kind === "file") yield { name, bytes: entry.bytes };
        if (entry.kind === "directory") pending.push({ path: join(path, entry.name), prefix: `${name}/` });
      }
    }
  }

  async remove(names: readonly string[]): Promise<void> {
    const objects = names.map((name) => partsOfObjectName(name));
    await this.#calls.run(async () => {
      for (const segments of objects) await this.#removeObject(segments);
    });
  }

  async close(): Promise<void> {
    await this.#calls.close(async () => {
      for (const reader of this.#readers) await this.#closeReader(reader);
      await this.#temp.discardLeftovers();
    });
  }

  async #openForWriting(): Promise<string> {
    // Nothing is made in a root that has become another one since.
    const root = this.#keepRoot(await makeRoot(this.#files, this.#path));
    await this.#temp.sweep(await makeTempPlace(this.#files, root), this.#clock.now());
    return root;
  }

  #keepRoot(root: string): string {
    this.#root ??= root;
    if (root !== this.#root) throw refusal({ failure: "Checkpoint storage was replaced", path: this.#path }, "ELOOP");
    return root;
  }

  async #put(segments: readonly string[], body: Body, ifAbsent: boolean): Promise<PutOutcome> {
    this.#writableRoot ??= this.#openForWriting();
    const root = await this.#writableRoot;
    const temp = await this.#temp.write(join(root, TEMP_DIRECTORY), body);
    try {
      const parent = await this.#tree.make(root, segments.slice(0, -1));
      return await publish(this.#files, { temp, target: join(parent, segments.at(-1) ?? ""), ifAbsent });
    } finally {
      await this.#temp.discard(temp);
    }
  }

  async #openObject(name: string, segments: readonly string[]): Promise<ReadableFile> {
    const parent = await this.#findDirectory(segments.slice(0, -1), GET);
    if (parent === undefined) throw notFound(name);
    const path = join(parent, segments.at(-1) ?? "");
    const reader = await attempt({ ...GET, path }, () => this.#openIfAny(path));
    if (reader === undefined) throw notFound(name);
    this.#readers.add(reader);
    if (reader.status.kind === "file") return reader;
    await this.#closeReader(reader);
    if (reader.status.kind === "directory") throw notFound(name);
    throw refusal({ ...GET, path }, "ELOOP");
  }

  async #openIfAny(path: string): Promise<ReadableFile | undefined> {
    try {
      return await this.#files.open(path);
    } catch (error) {
      // Some platforms open directories like files, others refuse to: it is no object in either case.
      if (isSystemError(error, "EISDIR", "ENOENT")) return undefined;
      throw error;
    }
  }

  async #closeReader(reader: ReadableFile): Promise<void> {
    if (!this.#readers.delete(reader)) return;
    // What was read stays true, whatever closing reports; the system takes the handle back in any case.
    await succeeds(() => reader.close());
  }

  async #findDirectory(segments: readonly string[], what: Purpose): Promise<string | undefined> {
    const root = this.#root ?? (await findRoot(this.#files, this.#path));
    return root === undefined ? undefined : this.#tree.find(this.#keepRoot(root), segments, what);
  }

  /** The entries that can be or contain objects. */
  async #readDirectory(path: string): Promise<readonly DirectoryEntry[]> {
    const what: Attempt = { ...LIST, path };
    const entries = await attempt(what, () => this.#files.readDirectory(path));
    const ours = entries.filter((entry) => isObjectNamePart(entry.name));
    // Behind a link may be objects, and a listing without them would not be complete.
    const link = ours.find((entry) => entry.kind === "link");
    if (link !== undefined) throw refusal({ ...what, path: join(path, link.name) }, "ELOOP");
    return ours;
  }

  async #removeObject(segments: readonly string[]): Promise<void> {
    const parent = await this.#findDirectory(segments.slice(0, -1), REMOVE);
    if (parent === undefined) return;
    const path = join(parent, segments.at(-1) ?? "");
    await attempt({ ...REMOVE, path }, () => this.#unlinkIfObject(path));
    // Synced before the next one goes, else a loss of power may bring this one back and not that one. Also if it was
    // absent: whoever removed it may have died before this.
    await attempt({ ...REMOVE, path: parent }, () => this.#files.syncDirectory(parent));
  }

  async #unlinkIfObject(path: string): Promise<void> {
    try {
      await this.#files.unlink(path);
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return;
      // The name of a directory is no object's. Linux says EISDIR, others EPERM, which has other meanings as well.
      if (isSystemError(error, "EISDIR", "EPERM") && (await this.#files.status(path)).kind === "directory") return;
      throw error;
    }
  }
}

function notFound(name: string): StateBackendError {
  return new StateBackendError(
    "CHECKPOINT_NOT_FOUND",
    `Object not found. name=${quoted(name)}. Restore a retained checkpoint, or check that this is its directory.`,
  );
}
