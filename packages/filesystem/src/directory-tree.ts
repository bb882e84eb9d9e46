/**
 * The directories between the root and an object.
 *
 * Invariants:
 * - A directory that `make` resolved to is durable, with all above it.
 * - Each part of a path is looked at before use; a symbolic link among them is refused, so that nothing outside of the
 *   root is read, written or removed. A link put there between look and use is not seen: who may write inside the root
 *   is trusted not to race with us.
 * - Directories are never removed, so one that is absent was never there.
 */

import { join } from "node:path";
import { quoted } from "@tidemark/core";
import type { Files, FileStatus } from "./files.js";
import { attempt, isSystemError } from "./io-error.js";
import type { Attempt, Purpose } from "./io-error.js";
import { makeIfAbsent, refuseOther } from "./root-directory.js";

/** The directories as one handle has found or made them. */
export class DirectoryTree {
  readonly #files: Files;
  /** Directories whose name this handle has made durable. */
  readonly #durable = new Set<string>();

  constructor(files: Files) {
    this.#files = files;
  }

  /** The directory of these segments below `root`, made if it was absent, durable with all above it. */
  async make(root: string, segments: readonly string[]): Promise<string> {
    const what: Attempt = { failure: "Put failed", path: root };
    refuseOther(what, await attempt(what, () => this.#files.status(root)));
    let directory = root;
    for (const segment of segments) {
      const path = join(directory, segment);
      await this.#ensure(path, directory);
      directory = path;
    }
    return directory;
  }

  /** The directory of these segments below `root`; nothing if there is none. */
  async find(root: string, segments: readonly string[], what: Purpose): Promise<string | undefined> {
    const top: Attempt = { ...what, path: root };
    refuseOther(top, await attempt(top, () => this.#files.status(root)));
    let directory = root;
    for (const segment of segments) {
      directory = join(directory, segment);
      const part: Attempt = { ...what, path: directory };
      const status = await attempt(part, () => this.#statusIfAny(directory));
      // An object has nothing below it.
      if (status === undefined || status.kind === "file") return undefined;
      refuseOther(part, status);
    }
    return directory;
  }

  async #ensure(path: string, parent: string): Promise<void> {
    const what: Attempt = { failure: "Put failed", path };
    const status = await attempt(what, () => this.#statusIfAny(path));
    if (status === undefined) {
      this.#durable.delete(path);
      await attempt(what, () => makeIfAbsent(this.#files, path));
    }
    refuseObject(path, status);
    refuseOther(what, status ?? (await attempt(what, () => this.#files.status(path))));
    if (this.#durable.has(path)) return;
    // Found does not mean durable: whoever made it may have died before the sync, or not have reached it yet.
    await attempt({ ...what, path: parent }, () => this.#files.syncDirectory(parent));
    this.#durable.add(path);
  }

  async #statusIfAny(path: string): Promise<FileStatus | undefined> {
    try {
      return await this.#files.status(path);
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return undefined;
      throw error;
    }
  }
}

/** A caller's mistake, unlike a foreign file: the names it made contain each other. */
function refuseObject(path: string, status: FileStatus | undefined): void {
  if (status?.kind !== "file") return;
  throw new RangeError(
    `Object name refused: it continues another object's name. path=${quoted(path)}. Use another name.`,
  );
}
