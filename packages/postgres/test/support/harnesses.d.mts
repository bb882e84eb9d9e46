import type { BackendHarness, StoreAdapterHarness } from "@tidemark/conformance";
import type { CheckpointStorage, Store } from "@tidemark/core";
import type pg from "pg";
import type * as adapter from "../../src/index.js";
import type { FailingPool } from "./failing-pool.mjs";

/** The package itself: its sources in tests, what was built of them for the kit's command. */
export type Adapter = Pick<typeof adapter, "migratePostgres" | "postgres" | "postgresStorage">;

/** A schema; each handle is a process. */
export interface SchemaPlace {
  readonly schema: string;
  readonly processes: Map<CheckpointStorage, FailingPool>;
}

/** What goes before the names of jobs; each handle is a process. */
export interface NamedPlace {
  readonly prefix: string;
  readonly processes: Map<Store, FailingPool>;
}

export function backendHarness(adapter: Adapter, shared: pg.Pool): BackendHarness<SchemaPlace>;
export function storeAdapterHarness(adapter: Adapter, shared: pg.Pool): StoreAdapterHarness<NamedPlace>;
