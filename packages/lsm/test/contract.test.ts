/** The laws of `Store` hold of LevelDB: in a directory, and in databases of the user's. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  anyStoreHistory,
  checkProperty,
  checkStoreLaw,
  type OpenStoreHarness,
  STORE_LAWS,
} from "@tidemark/conformance";
import { memoryStorage, type Store } from "@tidemark/core";
import { ClassicLevel } from "classic-level";
import { Level } from "level";
import { describe, expect, it } from "vitest";
import { lsm } from "../src/index.js";
import type { LevelDatabase } from "../src/level-database.js";

interface HarnessOf {
  readonly what: string;
  readonly open: OpenStoreHarness;
}

/** What `create` gives, closed by `dispose`. */
function collecting(create: () => Store): { readonly create: () => Store; readonly closeAll: () => Promise<void> } {
  const stores: Store[] = [];
  return {
    create() {
      const store = create();
      stores.push(store);
      return store;
    },
    async closeAll() {
      for (const store of stores) await store.close();
    },
  };
}

async function inDirectory(): ReturnType<OpenStoreHarness> {
  const directory = await mkdtemp(join(tmpdir(), "tidemark-lsm-"));
  const { create, closeAll } = collecting(lsm({ directory, preset: "low-memory" }).store.create);
  return {
    takeover: "refused",
    create,
    // The lock dies only with its process: crash.test.ts kills some.
    crash: (store) => store.close(),
    async dispose() {
      await closeAll();
      await rm(directory, { recursive: true });
    },
  };
}

async function inDatabase(
  make: (path: string) => LevelDatabase & { close(): Promise<void> },
): ReturnType<OpenStoreHarness> {
  const path = await mkdtemp(join(tmpdir(), "tidemark-lsm-"));
  const database = make(path);
  await database.open();
  const { create, closeAll } = collecting(lsm({ database, checkpoints: memoryStorage() }).store.create);
  return {
    takeover: "refused",
    create,
    crash: (store) => store.close(),
    async dispose() {
      await closeAll();
      expect(database.status).toBe("open");
      await database.close();
      await rm(path, { recursive: true });
    },
  };
}

const HARNESSES: readonly HarnessOf[] = [
  { what: "a directory", open: inDirectory },
  { what: "a ClassicLevel", open: () => inDatabase((path) => new ClassicLevel(path)) },
  {
    what: "a Level of JSON",
    open: () => inDatabase((path) => new Level<string, unknown>(path, { valueEncoding: "json" })),
  },
];

describe.each(HARNESSES)("$what", ({ open }) => {
  it.each(STORE_LAWS)("$id $title", async (law) => {
    await checkStoreLaw(law, open);
  });

  it("S1, S2, S3, S4, S5, S6, S7, S8, S9: after any history it answers as the model says", {
    timeout: 120_000,
  }, async () => {
    await checkProperty("any store history", anyStoreHistory(open), { runs: 40, seed: 11 });
  });
});
