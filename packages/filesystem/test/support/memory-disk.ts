/**
 * A disk in memory: what a running process sees, and a log of the effects from which a loss of power chooses.
 *
 * Invariants:
 * - Every operation is atomic and takes effect at once, as in the page cache.
 * - The log alone is enough to build each image that may be found after a loss of power: see crash-states.ts.
 */

import type { DirectoryEntry, FileKind, FileStatus } from "../../src/files.js";
import { systemError } from "./fault-plan.js";

/** What is on a disk: absolute paths with content. */
export type DiskImage = ReadonlyMap<string, Uint8Array | "directory">;

/** A file or directory apart from its names. */
export type Inode = number;

/** The directory `/`. */
export const ROOT_INODE: Inode = 1;

/**
 * What an operation did. `entry`: a directory's name now means this file or directory, or nothing. `write`: bytes were
 * changed. `sync`: all of it so far is durable. `lost`: a sync failed, and what was not durable will never surely be.
 */
export type Effect =
  | { readonly kind: "entry"; readonly directory: Inode; readonly name: string; readonly target: Target | undefined }
  | { readonly kind: "lost" | "sync"; readonly inode: Inode }
  | { readonly kind: "write"; readonly inode: Inode; readonly position: number; readonly bytes: Uint8Array };

/** What a name means. */
export interface Target {
  readonly inode: Inode;
  readonly kind: "directory" | "file";
}

/** A file, to be read and written also when it has lost its names. */
export interface FileNode extends Target {
  readonly kind: "file";
  bytes: Uint8Array;
  modifiedMs: number;
}

interface DirectoryNode extends Target {
  readonly kind: "directory";
  readonly entries: Map<string, Node>;
}

type Node = DirectoryNode | FileNode;

/** Files and directories as a running process sees them; failures are the system's. */
export class MemoryDisk {
  readonly #root: DirectoryNode = { inode: ROOT_INODE, kind: "directory", entries: new Map() };
  readonly #log: (effect: Effect) => void;
  #lastInode = ROOT_INODE;
  /** The wall-clock time that changes are stamped with. */
  nowMs = 0;

  constructor(log: (effect: Effect) => void) {
    this.#log = log;
  }

  /** Fills an empty disk, durably. */
  load(image: DiskImage): void {
    for (const path of [...image.keys()].sort()) {
      const content = image.get(path);
      if (content === "directory") this.makeDirectory(path);
      else if (content !== undefined) this.#loadFile(path, content);
      this.syncDirectory(split(path).parent);
    }
  }

  /** What a process that starts now would see. */
  image(): DiskImage {
    const found = new Map<string, Uint8Array | "directory">();
    const visit = (directory: DirectoryNode, path: string): void => {
      for (const [name, node] of directory.entries) {
        found.set(`${path}/${name}`, node.kind === "file" ? node.bytes.slice() : "directory");
        if (node.kind === "directory") visit(node, `${path}/${name}`);
      }
    };
    visit(this.#root, "");
    return found;
  }

  create(path: string): Inode {
    const inode = ++this.#lastInode;
    this.#add(path, { inode, kind: "file", bytes: new Uint8Array(0), modifiedMs: this.nowMs }, "open");
    return inode;
  }

  makeDirectory(path: string): void {
    this.#add(path, { inode: ++this.#lastInode, kind: "directory", entries: new Map() }, "mkdir");
  }

  link(path: string, newPath: string): void {
    this.#add(newPath, this.#file(path, "link"), "link");
  }

  unlink(path: string): void {
    this.#file(path, "unlink");
    const { parent, name } = split(path);
    const directory = this.#directory(parent, "unlink");
    directory.entries.delete(name);
    this.#log({ kind: "entry", directory: directory.inode, name, target: undefined });
  }

  /** The file behind `path`. */
  file(path: string): FileNode {
    return this.#file(path, "open");
  }

  write(file: FileNode, bytes: Uint8Array, position: number): void {
    const grown = new Uint8Array(Math.max(file.bytes.length, position + bytes.length));
    grown.set(file.bytes);
    grown.set(bytes, position);
    file.bytes = grown;
    file.modifiedMs = this.nowMs;
    this.#log({ kind: "write", inode: file.inode, position, bytes: bytes.slice() });
  }

  syncDirectory(path: string): void {
    this.sync(this.#directory(path, "fsync").inode);
  }

  sync(inode: Inode): void {
    this.#log({ kind: "sync", inode });
  }

  /** A sync failed: what was written since the last one is marked clean, and no later sync writes it. */
  lose(inode: Inode): void {
    this.#log({ kind: "lost", inode });
  }

  entries(path: string): readonly DirectoryEntry[] {
    return [...this.#directory(path, "scandir").entries].map(([name, node]) => ({ name, ...toStatus(node) }));
  }

  status(path: string): FileStatus {
    return toStatus(this.#find(path, "lstat"));
  }

  #loadFile(path: string, content: Uint8Array): void {
    this.create(path);
    const file = this.file(path);
    if (content.length > 0) this.write(file, content, 0);
    this.sync(file.inode);
  }

  #add(path: string, node: Node, operation: string): void {
    const { parent, name } = split(path);
    const directory = this.#directory(parent, operation);
    if (name === "" || directory.entries.has(name)) throw systemError("EEXIST", operation, path);
    directory.entries.set(name, node);
    const target: Target = { inode: node.inode, kind: node.kind };
    this.#log({ kind: "entry", directory: directory.inode, name, target });
  }

  #file(path: string, operation: string): FileNode {
    const node = this.#find(path, operation);
    if (node.kind !== "file") throw systemError("EISDIR", operation, path);
    return node;
  }

  #directory(path: string, operation: string): DirectoryNode {
    const node = this.#find(path, operation);
    if (node.kind !== "directory") throw systemError("ENOTDIR", operation, path);
    return node;
  }

  #find(path: string, operation: string): Node {
    let node: Node = this.#root;
    for (const name of path.split("/").filter((part) => part !== "")) {
      if (node.kind !== "directory") throw systemError("ENOTDIR", operation, path);
      const below: Node | undefined = node.entries.get(name);
      if (below === undefined) throw systemError("ENOENT", operation, path);
      node = below;
    }
    return node;
  }
}

/** The facts that `lstat` tells. */
export function toStatus(node: Node): FileStatus {
  const kind: FileKind = node.kind;
  if (node.kind === "directory") return { kind, bytes: 0, modifiedMs: 0, device: 1 };
  return { kind, bytes: node.bytes.length, modifiedMs: node.modifiedMs, device: 1 };
}

function split(path: string): { readonly parent: string; readonly name: string } {
  const slash = path.lastIndexOf("/");
  return { parent: path.slice(0, slash), name: path.slice(slash + 1) };
}
