/** The metrics of jobs. Their names are API; docs/metrics.md lists them. */

import type { HistogramDefinition, MetricDefinition } from "./metric-sink.js";

const JOB = ["job"] as const;
/** From 1 ms to 10 minutes, the default timeout of a checkpoint. */
const LONG = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600];
/** Around 1 ms, the bar of a barrier. */
const PAUSE = [0.00001, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1];
/** From a look into memory to a slow network. */
const ACCESS = [1e-7, 5e-7, 1e-6, 5e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1];

export const jobDefinitions = {
  checkpoints: count("checkpoints", "Checkpoints and savepoints that ended.", ["job", "kind", "status"]),
  subsumed: count("checkpoints.subsumed", "Checkpoints that a newer one replaced.", JOB),
  underWay: count("checkpoints.under.way", "Checkpoints and savepoints that are under way.", JOB),
  checkpointDuration: histogram(
    "checkpoint.duration",
    "From the trigger of a checkpoint to its end.",
    ["job", "kind", "status"],
    LONG,
  ),
  syncPause: histogram("checkpoint.sync.pause", "For how long a barrier held the tasks up.", JOB, PAUSE),
  writtenBytes: bytes("checkpoint.written", "What checkpoints wrote of segments.", ["job", "kind"]),
  lastId: count("checkpoint.last.id", "Id of the last completed checkpoint.", JOB),
  lastFullBytes: bytes("checkpoint.last.full", "What a restore of the last completed checkpoint reads.", JOB),
  lastIncrementalBytes: bytes("checkpoint.last.incremental", "What the last completed checkpoint wrote.", JOB),
  lastAge: seconds("checkpoint.last.age", "Since the last completed checkpoint ended.", JOB),
  restores: count("restores", "Jobs that were opened from a checkpoint.", JOB),
  restoreDuration: histogram("restore.duration", "From opening a job until its tasks take records.", JOB, LONG),
  restoreBytes: bytes("restore.last", "Segments that the tasks of the last restore stand on.", JOB),
  restoredId: count("restore.last.id", "Id of the checkpoint that was restored last.", JOB),
  stateAccess: histogram(
    "state.access.duration",
    "One call of a state in 64.",
    ["job", "operator", "state", "operation"],
    ACCESS,
  ),
  memtable: bytes("memory.memtable", "Changes that are in no completed checkpoint, estimated.", JOB),
  cache: bytes("memory.cache", "Read cache.", JOB),
  memoryLimit: bytes("memory.limit", "The job's memoryBytes.", JOB),
} satisfies Readonly<Record<string, MetricDefinition | HistogramDefinition>>;

function count(name: string, help: string, labels: readonly string[]): MetricDefinition {
  return { name, unit: "count", help, labels };
}

function bytes(name: string, help: string, labels: readonly string[]): MetricDefinition {
  return { name, unit: "bytes", help, labels };
}

function seconds(name: string, help: string, labels: readonly string[]): MetricDefinition {
  return { name, unit: "seconds", help, labels };
}

function histogram(
  name: string,
  help: string,
  labels: readonly string[],
  buckets: readonly number[],
): HistogramDefinition {
  return { ...seconds(name, help, labels), buckets };
}
