/**
 * The laws of the conformance kit on whole jobs over LevelDB, and on several owners of a store. The kit's names of tests quote the clauses.
 * contract.test.ts has the laws of single stores; all laws run from the command line.
 */

import { conformance } from "@tidemark/conformance/vitest";
import { harness, store } from "./harness.mjs";

conformance(harness, { only: ["any-history", "same-savepoints", "two-lives", "ttl-is-exact", "timers-fire-once"] });
conformance(store, { only: ["S10", "S11"] });
