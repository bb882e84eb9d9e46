/** All that the conformance kit needs to test the storage. It imports core, and not the kit. */

import fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { failingFiles } from "./failing-files.js";
import { FolderStorage } from "./folder-storage.js";

/** A folder, and the files of each handle as its process would see them. */
interface Place {
  readonly root: string;
  readonly processes: Map<FolderStorage, ReturnType<typeof failingFiles>>;
}

export const harness = {
  name: "one file per object",
  contract: "storage",
  capabilities: { shared: true, durable: true },
  create: async (): Promise<Place> => ({
    root: join(await fs.mkdtemp(join(tmpdir(), "custom-store-")), "objects"),
    processes: new Map(),
  }),
  reopen({ root, processes }: Place): FolderStorage {
    const files = failingFiles();
    const storage = new FolderStorage(root, files.system);
    processes.set(storage, files);
    return storage;
  },
  crash: ({ processes }: Place, storage: FolderStorage) => processes.get(storage)?.failFrom(0, Infinity),
  faults({ processes }: Place, nth: number) {
    const files = [...processes.values()].at(-1);
    files?.failFrom(nth, 1);
    return () => files?.end() ?? false;
  },
  destroy: ({ root }: Place) => fs.rm(join(root, ".."), { recursive: true }),
  readBack: ({ root }: Place, name: string) => fs.readFile(join(root, name)).catch(() => undefined),
  corrupt: ({ root }: Place, name: string, bytes: Uint8Array | undefined) =>
    bytes === undefined ? fs.rm(join(root, name)) : fs.writeFile(join(root, name), bytes),
};
