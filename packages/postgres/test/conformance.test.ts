/** The laws of the conformance kit, on a server that this file starts. The kit's names of tests quote the clauses. */

import { conformance } from "@tidemark/conformance/vitest";
import { afterAll } from "vitest";
import * as adapter from "../src/index.js";
import { backendHarness, storeAdapterHarness } from "./support/harnesses.mjs";
import { TestServer } from "./support/servers.js";

// The laws kill processes, not the machine: nothing has to be on the disk.
const test = await TestServer.start({ settings: { fsync: "off" } });
afterAll(() => test.stop());

const shared = test.pool({ max: 8 });

/** Those of jobs that look at most things at once; the others are left to a run with TIDEMARK_RUNS. */
const jobs = ["results-iff-published", "any-history", "exactly-once", "two-lives", "same-savepoints"];
const objects = Array.from({ length: 12 }, (_, index) => `CS${index + 1}`);

conformance(
  backendHarness(adapter, shared),
  process.env["TIDEMARK_RUNS"] === undefined ? { only: [...objects, ...jobs] } : {},
);
conformance(storeAdapterHarness(adapter, shared));
