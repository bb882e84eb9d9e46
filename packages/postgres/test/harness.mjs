/**
 * Harnesses for the kit's command, on a server that is started for it: `harness` of the backend, with its checkpoint storage, and `store`.
 *
 *   npx tidemark-conformance verify packages/postgres/test/harness.mjs --report report
 *   npx tidemark-conformance verify packages/postgres/test/harness.mjs --export store --report report
 */

import { rmSync } from "node:fs";
import { dirname } from "node:path";
import pg from "pg";
import { startPostgres } from "../../../scripts/services/postgres.mjs";
import * as adapter from "../dist/index.js";
import { backendHarness, storeAdapterHarness } from "./support/harnesses.mjs";

// The laws kill processes, not the machine: nothing has to be on the disk.
const server = await startPostgres({ settings: { fsync: "off" } });
process.once("exit", () => rmSync(dirname(server.data), { recursive: true, force: true, maxRetries: 5 }));
const shared = new pg.Pool({ connectionString: server.url, max: 8 });
shared.on("error", () => undefined);

export const harness = backendHarness(adapter, shared);
export const store = storeAdapterHarness(adapter, shared);
