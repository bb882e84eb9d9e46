/**
 * The laws of the conformance kit on several owners of a store in Redis. The kit's names of tests quote the clauses.
 * contract.test.ts has the laws of single stores, storage.test.ts those of checkpoints and whole jobs.
 */

import { conformance } from "@tidemark/conformance/vitest";
import { afterAll } from "vitest";
import { clusterStore, stop, store } from "./harness.mjs";

afterAll(stop);

conformance(store, { only: ["S10", "S11"] });
conformance(clusterStore, { only: ["S10", "S11"] });
