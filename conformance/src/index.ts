/**
 * The conformance kit. `verify` tests an adapter by the laws of its contract. Below: an independent model of a job, commands that
 * drive the model and a real job, and the properties that the laws of whole jobs are.
 */

export type {
  AdapterHarness,
  BackendHarness,
  Capabilities,
  Contract,
  Hook,
  StorageHarness,
  StoreAdapterHarness,
} from "./runner/adapter-harness.js";
export type { Culprit } from "./runner/blame.js";
export { type Law, type LawContext, type Level, LEVELS, type Program, type TestPlace } from "./runner/law.js";
export { type Profile, PROFILES } from "./runner/profile.js";
export type {
  CapabilityResult,
  Failure,
  LawResult,
  LawStatus,
  LevelResult,
  LevelStatus,
  Problem,
  Report,
  Verdict,
} from "./runner/report.js";
export { verify } from "./runner/verify.js";
export type { VerifyOptions } from "./runner/verify-options.js";
export { ALL_LAWS } from "./laws/all-laws.js";
export { MEMORY_HARNESS } from "./reference/memory-harness.js";
export { TRANSACTIONAL_HARNESS, TransactionalMemory } from "./reference/transactional-memory.js";
export { MEMORY_STORE_HARNESS } from "./reference/memory-store-harness.js";
export { writeReport } from "./report/write-report.js";
export {
  BROKEN_ASSIGNMENTS,
  BROKEN_CHECKPOINTS,
  BROKEN_LISTENERS,
  type BrokenAssignment,
} from "./broken/broken-checkpoints.js";
export { BROKEN_EXPIRY } from "./broken/broken-expiry.js";
export { type BrokenFeature, type FeatureCatcher, soundFeature } from "./broken/broken-feature.js";
export { BROKEN_MAPS, BROKEN_MERGES, BROKEN_MIGRATIONS } from "./broken/broken-merges.js";
export { BROKEN_SAVEPOINTS } from "./broken/broken-savepoints.js";
export { BROKEN_TIMERS } from "./broken/broken-timers.js";
export { BROKEN_JOBS, type BrokenJob, soundJob } from "./broken/broken-jobs.js";
export { BROKEN_STORAGES, brokenPlace, type BrokenStorage, type Catcher } from "./broken/broken-storages.js";
export { checkProperty, type RunSettings } from "./check-property.js";
export { Coverage } from "./commands/coverage.js";
export { ManualClock } from "./faults/manual-clock.js";
export { ScriptedStorage } from "./faults/scripted-storage.js";
export { seededRandom, type SeededRandom } from "./faults/seeded-random.js";
export { type Harness, memoryPlace, type Place } from "./harness.js";
export { sameSavepoints } from "./differential/same-savepoints.js";
export { contendedScopes } from "./linearizability/contended-scopes.js";
export { contendedObjects } from "./linearizability/contended-objects.js";
export { CATALOG, type StateSpec } from "./model/catalog.js";
export { anyHistory } from "./properties/any-history.js";
export { fullIsChain } from "./properties/checkpoint-chains.js";
export { damages, intactPlace, violations } from "./properties/damage.js";
export { ttlIsExact } from "./properties/expiring.js";
export { frozenIsFrozen } from "./properties/frozen-tables.js";
export { mergingMovesAll } from "./properties/merging.js";
export { migrationIsLossless } from "./properties/migrations.js";
export { listenerIsTold } from "./properties/notifications.js";
export { exactlyOnce } from "./properties/processing.js";
export { rescalingIsIdentity } from "./properties/rescaling.js";
export { listingIsTrue } from "./properties/retention.js";
export { type Knowledge, live, NOTHING, type Observer, recover } from "./properties/scenario.js";
export { stateKind } from "./properties/state-kinds.js";
export { type Assign, stickyMovesFew } from "./properties/sticky-groups.js";
export { firingMeetsBarrier, timersFireOnce } from "./properties/timers.js";
export { type HoldPoint, interleave, raceToOwn } from "./properties/two-owners.js";
export { type BrokenStore, brokenStoreHarness } from "./laws-of-stores/broken-store.js";
export { BROKEN_STORES } from "./laws-of-stores/broken-stores.js";
export { memoryStoreHarness } from "./laws-of-stores/memory-harness.js";
export { newFence, type OpenStoreHarness, type StoreHarness, type StoreLaw } from "./laws-of-stores/store-harness.js";
export { anyStoreHistory } from "./laws-of-stores/store-history.js";
export { checkStoreLaw, STORE_LAWS } from "./laws-of-stores/store-laws.js";
export { type Regression, REGRESSIONS } from "./regressions.js";
