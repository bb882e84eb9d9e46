/**
 * Bodies on their way: files that have all their bytes, durably, before any object's name means them.
 *
 * Invariants:
 * - The temporary place has a name that no object can have, and lies on the filesystem of the objects.
 * - A file is synced once. If that or its closing fails it is abandoned: the kernel has then dropped the dirty pages and
 *   marked them clean, so that a second sync would report success for bytes that are nowhere.
 * - A file that is not an object's is removed: at once, or with a later call, or after a day by whoever opens then.
 */

import { join } from "node:path";
import type { Random } from "@tidemark/core";
import type { Files, WritableFile } from "./files.js";
import { attempt, isSystemError, refusal, succeeds } from "./io-error.js";
import type { Attempt } from "./io-error.js";

/** `~` is no character of an object's name. */
export const TEMP_DIRECTORY = "~tmp";

const NAME_BYTES = 16;
/** A put that stands still for longer than this is taken for dead. If it was not, it fails: its file is gone. */
const STALE_MS = 24 * 60 * 60 * 1000;
/** Files that could not be removed and are tried again; beyond that number they are left to the next day. */
const LEFTOVERS_MAX = 64;

/** What a body may be: see `CheckpointStorage.put`. */
export type Body = Uint8Array | AsyncIterable<Uint8Array>;

/** The temporary files of one handle. */
export class TempFiles {
  readonly #files: Files;
  readonly #random: Random;
  readonly #leftovers = new Set<string>();

  constructor(files: Files, random: Random) {
    this.#files = files;
    this.#random = random;
  }

  /** Writes `body` to a new file in `directory`; its content is durable when this resolves to its path. */
  async write(directory: string, body: Body): Promise<string> {
    const path = join(directory, Buffer.from(this.#random.bytes(NAME_BYTES)).toString("hex"));
    const what: Attempt = { failure: "Put failed", path };
    const file = await attempt(what, () => this.#files.create(path));
    try {
      await fill(file, body, what);
    } catch (error) {
      await this.discard(path);
      throw error;
    }
    return path;
  }

  /** Removes a file of `write`, and what earlier calls could not remove. */
  async discard(path: string): Promise<void> {
    this.#leftovers.add(path);
    await this.discardLeftovers();
    for (const oldest of this.#leftovers) {
      if (this.#leftovers.size <= LEFTOVERS_MAX) break;
      this.#leftovers.delete(oldest);
    }
  }

  /** Removes what earlier calls could not remove. */
  async discardLeftovers(): Promise<void> {
    for (const path of this.#leftovers) {
      // A file that stays is no object's and takes nothing but space, and the call it served has its own result.
      if (!(await succeeds(() => this.#remove(path)))) return;
      this.#leftovers.delete(path);
    }
  }

  /** Removes the files in `directory` that dead processes left behind. */
  async sweep(directory: string, nowMs: number): Promise<void> {
    const what: Attempt = { failure: "Checkpoint storage could not be opened", path: directory };
    for (const entry of await attempt(what, () => this.#files.readDirectory(directory))) {
      if (entry.kind !== "file" || nowMs - entry.modifiedMs <= STALE_MS) continue;
      // As above: it only takes space, and whoever opens next tries again.
      await succeeds(() => this.#remove(join(directory, entry.name)));
    }
  }

  async #remove(path: string): Promise<void> {
    try {
      await this.#files.unlink(path);
    } catch (error) {
      if (!isSystemError(error, "ENOENT")) throw error;
    }
  }
}

async function fill(file: WritableFile, body: Body, what: Attempt): Promise<void> {
  try {
    let position = 0;
    for await (const bytes of body instanceof Uint8Array ? [body] : body) {
      if (!(bytes instanceof Uint8Array)) throw new TypeError("Put refused: the body yields other than bytes.");
      await writeWhole(file, { bytes, position }, what);
      position += bytes.length;
    }
    await attempt(what, () => file.sync());
  } catch (error) {
    // The file is abandoned, and only its handle is to be given back: whether that goes well changes nothing.
    await succeeds(() => file.close());
    throw error;
  }
  await attempt(what, () => file.close());
}

interface Placed {
  readonly bytes: Uint8Array;
  readonly position: number;
}

async function writeWhole(file: WritableFile, { bytes, position }: Placed, what: Attempt): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const written = await attempt(what, () => file.write(bytes.subarray(done), position + done));
    // A disk that takes nothing and reports no error would keep this loop going forever.
    if (written <= 0) throw refusal(what, "EIO");
    done += written;
  }
}
