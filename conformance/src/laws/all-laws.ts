/** Every law of the kit. */

import type { Law } from "../runner/law.js";
import { FEATURE_LAWS } from "./backend/features.js";
import { SAVEPOINT_LAWS } from "./backend/savepoints.js";
import { STATE_LAWS } from "./backend/state.js";
import { ANY_CALLS } from "./storage/any-calls.js";
import { BODY_LAWS } from "./storage/bodies.js";
import { CRASH_LAWS } from "./storage/crashes.js";
import { CONTAINMENT_LAWS } from "./storage/containment.js";
import { CONTENTION_LAWS, CREATION_LAWS } from "./storage/creation.js";
import { HANDLE_LAWS } from "./storage/handles.js";
import { JOB_LAWS } from "./storage/jobs.js";
import { LISTING_LAWS } from "./storage/listing.js";
import { NAME_LAWS } from "./storage/names.js";
import { READ_LAWS } from "./storage/reads.js";
import { RESULT_LAWS } from "./storage/results.js";
import { LAWS_OF_STORES } from "./store/stores.js";
import { SURROUNDING_LAWS } from "./storage/surroundings.js";

/** In the order in which they run: what is simple first, so that the first failure is the easiest to understand. */
export const ALL_LAWS: readonly Law[] = [
  ...HANDLE_LAWS,
  ...NAME_LAWS,
  ...BODY_LAWS,
  ...CREATION_LAWS,
  ...READ_LAWS,
  ...LISTING_LAWS,
  ANY_CALLS,
  ...CONTAINMENT_LAWS,
  ...CONTENTION_LAWS,
  ...SURROUNDING_LAWS,
  ...CRASH_LAWS,
  ...JOB_LAWS,
  ...RESULT_LAWS,
  ...STATE_LAWS,
  ...SAVEPOINT_LAWS,
  ...FEATURE_LAWS,
  ...LAWS_OF_STORES,
];
