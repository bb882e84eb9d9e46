/**
 * `Files` over a disk in memory, with a log of every operation and faults wherever a test wants them.
 *
 * Invariants:
 * - An operation that fails by injection has no effect, but for `late-error`; a failed sync loses what it was to save.
 * - Nothing depends on time or on chance: the same calls give the same log.
 */

import type { Files, ReadableFile, WritableFile } from "../../src/files.js";
import { FaultPlan } from "./fault-plan.js";
import type { Operation } from "./fault-plan.js";
import { MemoryDisk, toStatus } from "./memory-disk.js";
import type { DiskImage, Effect, FileNode } from "./memory-disk.js";

/** One operation that ended, or a mark that a test left between two of them. */
export interface LogEntry {
  readonly operation: Operation | "load" | "mark";
  /** The path, or the text of the mark. */
  readonly path: string;
  /** Second path of `link`, byte count of `write` and `read`. */
  readonly detail?: number | string;
  /** Code of the error it failed with. */
  readonly failed?: string;
  readonly effects: readonly Effect[];
}

/** A disk in memory whose operations are logged and can be made to fail by its `plan`. */
export class FaultFiles implements Files {
  readonly plan = new FaultPlan();
  readonly #disk: MemoryDisk;
  readonly #log: LogEntry[] = [];
  #effects: Effect[] = [];
  #openCount = 0;

  constructor(image: DiskImage = new Map()) {
    this.#disk = new MemoryDisk((effect) => this.#effects.push(effect));
    this.#disk.load(image);
    if (image.size > 0) this.#record({ operation: "load", path: "/" });
  }

  get log(): readonly LogEntry[] {
    return this.#log;
  }

  /** How many files are open. */
  get openCount(): number {
    return this.#openCount;
  }

  /** The log as text, one operation per line, for golden traces. */
  get trace(): readonly string[] {
    return this.#log.map((entry) =>
      [entry.operation, entry.path, entry.detail, entry.failed].filter((part) => part !== undefined).join(" "),
    );
  }

  /** What a process that starts now would see, if the power stays on. */
  image(): DiskImage {
    return this.#disk.image();
  }

  /** Notes in the log what a caller knows at this moment. */
  mark(text: string): void {
    this.#record({ operation: "mark", path: text });
  }

  /** The wall-clock time that changes are stamped with from now on. */
  setTime(nowMs: number): void {
    this.#disk.nowMs = nowMs;
  }

  async create(path: string): Promise<WritableFile> {
    return this.#step({ operation: "create", path }, () => {
      this.#disk.create(path);
      return this.#writable(path, this.#disk.file(path));
    });
  }

  async open(path: string): Promise<ReadableFile> {
    return this.#step({ operation: "open", path }, () => this.#readable(path, this.#disk.file(path)));
  }

  async link(path: string, newPath: string): Promise<void> {
    await this.#step({ operation: "link", path, detail: newPath }, () => this.#disk.link(path, newPath));
  }

  async unlink(path: string): Promise<void> {
    await this.#step({ operation: "unlink", path }, () => this.#disk.unlink(path));
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#step({ operation: "makeDirectory", path }, () => this.#disk.makeDirectory(path));
  }

  async readDirectory(path: string) {
    return this.#step({ operation: "readDirectory", path }, () => this.#disk.entries(path));
  }

  /** A failure leaves the entries as they were: journaling filesystems keep metadata for the next sync. */
  async syncDirectory(path: string): Promise<void> {
    await this.#step({ operation: "syncDirectory", path }, () => this.#disk.syncDirectory(path));
  }

  async status(path: string) {
    return this.#step({ operation: "status", path }, () => this.#disk.status(path));
  }

  async realPath(path: string): Promise<string> {
    return this.#step({ operation: "realPath", path }, () => {
      this.#disk.status(path);
      return path;
    });
  }

  #writable(path: string, file: FileNode): WritableFile {
    this.#openCount += 1;
    return {
      write: (bytes, position) => {
        const write = (isShort: boolean): number => {
          const part = isShort ? bytes.subarray(0, Math.ceil(bytes.length / 2)) : bytes;
          this.#disk.write(file, part, position);
          return part.length;
        };
        return this.#step({ operation: "write", path, detail: bytes.length }, write);
      },
      sync: async () => {
        const sync = (): void => this.#disk.sync(file.inode);
        await this.#step({ operation: "sync", path }, sync, () => this.#disk.lose(file.inode));
      },
      close: () => this.#close(path),
    };
  }

  #readable(path: string, file: FileNode): ReadableFile {
    this.#openCount += 1;
    return {
      status: toStatus(file),
      read: (buffer, position) => {
        const read = (isShort: boolean): number => {
          const end = position + (isShort ? Math.ceil(buffer.length / 2) : buffer.length);
          const part = file.bytes.subarray(position, end);
          buffer.set(part);
          return part.length;
        };
        return this.#step({ operation: "read", path, detail: buffer.length }, read);
      },
      close: () => this.#close(path),
    };
  }

  /** The system takes the handle back also when closing fails. */
  async #close(path: string): Promise<void> {
    this.#openCount -= 1;
    await this.#step({ operation: "close", path }, () => undefined);
  }

  async #step<T>(call: Step, effect: (isShort: boolean) => T, onError?: () => void): Promise<T> {
    try {
      return await this.plan.run(call.operation, call.path, (isShort) => {
        const result = effect(isShort);
        this.#record(call);
        return result;
      });
    } catch (error) {
      const failed = error instanceof Error && "code" in error ? String(error.code) : "crash";
      if (failed !== "crash") onError?.();
      this.#record({ ...call, failed });
      throw error;
    }
  }

  #record(entry: Omit<LogEntry, "effects">): void {
    this.#log.push({ ...entry, effects: this.#effects });
    this.#effects = [];
  }
}

interface Step {
  readonly operation: Operation;
  readonly path: string;
  readonly detail?: number | string;
}
