/** Any `Files`, the real one too, with a fault plan in front of it. */

import type { Files } from "../../src/files.js";
import type { FaultPlan, Operation } from "./fault-plan.js";

/** `files` as far as `plan` allows. */
export function faultyFiles(files: Files, plan: FaultPlan): Files {
  const one = <T>(operation: Operation & keyof Files, effect: (path: string) => Promise<T>) => {
    return (path: string): Promise<T> => plan.run(operation, path, () => effect(path));
  };
  // The handle is given back in any case, as the system does; only the report is a failure.
  const close = async (path: string, effect: () => Promise<void>): Promise<void> => {
    await effect();
    await plan.run("close", path, () => undefined);
  };
  return {
    create: one("create", async (path) => {
      const file = await files.create(path);
      return {
        write: (bytes, position) => {
          const half = bytes.subarray(0, Math.ceil(bytes.length / 2));
          return plan.run("write", path, (isShort) => file.write(isShort ? half : bytes, position));
        },
        sync: () => plan.run("sync", path, () => file.sync()),
        close: () => close(path, () => file.close()),
      };
    }),
    open: one("open", async (path) => {
      const file = await files.open(path);
      return {
        status: file.status,
        read: (buffer, position) => {
          const half = buffer.subarray(0, Math.ceil(buffer.length / 2));
          return plan.run("read", path, (isShort) => file.read(isShort ? half : buffer, position));
        },
        close: () => close(path, () => file.close()),
      };
    }),
    link: (path, newPath) => plan.run("link", path, () => files.link(path, newPath)),
    unlink: one("unlink", (path) => files.unlink(path)),
    makeDirectory: one("makeDirectory", (path) => files.makeDirectory(path)),
    readDirectory: one("readDirectory", (path) => files.readDirectory(path)),
    syncDirectory: one("syncDirectory", (path) => files.syncDirectory(path)),
    status: one("status", (path) => files.status(path)),
    realPath: one("realPath", (path) => files.realPath(path)),
  };
}
