/**
 * The file operations that `directory` uses, and no others.
 *
 * Invariants:
 * - Every operation is one step on the disk, so that a fault or a crash can be placed between any two of them.
 * - Failures are the system's own errors, with `code` and `errno`; nothing is retried or translated here.
 * - Paths are absolute. No operation follows a symbolic link in the last part of a path, except `realPath`.
 */

/** What a directory entry is. `other` is a socket, a pipe or a device. */
export type FileKind = "directory" | "file" | "link" | "other";

/** Facts about a file or directory. */
export interface FileStatus {
  readonly kind: FileKind;
  /** Length, bytes. */
  readonly bytes: number;
  /** Wall-clock time of the last change of the content, milliseconds. */
  readonly modifiedMs: number;
  /** Number of the filesystem it lies on. */
  readonly device: number;
}

/** One entry of a directory. */
export interface DirectoryEntry {
  readonly name: string;
  readonly kind: FileKind;
  /** Length, bytes. */
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** A new file, open for writing. */
export interface WritableFile {
  /** Writes a part of `bytes`, from its beginning, at `position`; resolves to how many bytes that was. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Makes the content durable, not the name. After a failure the content is lost, whatever a later call reports. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** A file, open for reading. */
export interface ReadableFile {
  /** Of the open file, not of what its name has come to mean since. */
  readonly status: FileStatus;
  /** Fills a part of `buffer`, from its beginning, with the bytes at `position`; resolves to how many, 0 at the end. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** A filesystem, as far as checkpoint storage needs one. */
export interface Files {
  /** Opens a new file for writing, readable by this user only. Fails with `EEXIST` if the name is taken. */
  create(path: string): Promise<WritableFile>;
  open(path: string): Promise<ReadableFile>;
  /** Gives the file a second name. Fails with `EEXIST` if that is taken: never replaces. */
  link(path: string, newPath: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes one directory, accessible to this user only. Fails with `EEXIST` if the name is taken. */
  makeDirectory(path: string): Promise<void>;
  /** All entries; those that vanish during the call may be missing. */
  readDirectory(path: string): Promise<readonly DirectoryEntry[]>;
  /** Makes the entries of a directory durable, as far as the platform can. */
  syncDirectory(path: string): Promise<void>;
  status(path: string): Promise<FileStatus>;
  /** The path without symbolic links. */
  realPath(path: string): Promise<string>;
}
