/** All suites, in the order in which they run. */

import type { Suite } from "../harness/suite.js";
import { checkpointBytes } from "./checkpoint-bytes.js";
import { codecs } from "./codecs.js";
import { compaction } from "./compaction.js";
import { freeze } from "./freeze.js";
import { lsm } from "./lsm.js";
import { lsmLarge } from "./lsm-large.js";
import { large } from "./large.js";
import { loopDelay } from "./loop-delay.js";
import { lsmStore } from "./lsm-store.js";
import { redisState } from "./redis.js";
import { redisStore } from "./redis-store.js";
import { metrics } from "./metrics.js";
import { postgresState } from "./postgres.js";
import { postgresStore } from "./postgres-store.js";
import { restore } from "./restore.js";
import { rmw } from "./rmw.js";
import { smallMaps } from "./small-maps.js";
import { timers } from "./timers.js";
import { ttl } from "./ttl.js";

export const suites: readonly Suite[] = [
  rmw,
  freeze,
  loopDelay,
  checkpointBytes,
  compaction,
  restore,
  large,
  ttl,
  smallMaps,
  timers,
  metrics,
  lsmStore,
  postgresStore,
  postgresState,
  lsm,
  lsmLarge,
  redisStore,
  redisState,
  codecs,
];
