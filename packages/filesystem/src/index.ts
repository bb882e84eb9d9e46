export { filesystem, type FilesystemOptions } from "./filesystem.js";
export { directory } from "./directory-storage.js";
export type { DirectoryOptions } from "./directory-storage.js";
export type {
  DirectoryEntry,
  FileKind,
  Files,
  FileStatus,
  ReadableFile,
  WritableFile,
} from "./files.js";
