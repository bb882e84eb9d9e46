/** From the messages of jobs to metrics. */

import { type Clock, systemClock } from "@tidemark/core";
import { jobDefinitions as definitions } from "./job-definitions.js";
import { listen } from "./listeners.js";
import type { Metrics, MetricSink, Readings } from "./metric-sink.js";

/** Keeps the metrics of all jobs of this process in `sink`, until stopped. `clock` is the one that the jobs have. */
export function jobMetrics(sink: MetricSink, clock: Clock = systemClock): Metrics {
  const ends = [checkpointMetrics(sink, clock), restoreMetrics(sink), accessMetrics(sink), memoryMetrics(sink)];
  return {
    stop() {
      for (const end of ends.splice(0)) end();
      sink.stop();
    },
  };
}

function checkpointMetrics(sink: MetricSink, clock: Clock): () => void {
  const count = sink.counter(definitions.checkpoints);
  const duration = sink.histogram(definitions.checkpointDuration);
  const syncPause = sink.histogram(definitions.syncPause);
  const written = sink.counter(definitions.writtenBytes);
  const subsumed = sink.counter(definitions.subsumed);
  const underWay = new LatestByJob();
  const id = new LatestByJob();
  const fullBytes = new LatestByJob();
  const incrementalBytes = new LatestByJob();
  const endedAt = new LatestByJob();
  sink.gauge(definitions.underWay, underWay.readings());
  sink.gauge(definitions.lastId, id.readings());
  sink.gauge(definitions.lastFullBytes, fullBytes.readings());
  sink.gauge(definitions.lastIncrementalBytes, incrementalBytes.readings());
  sink.gauge(
    definitions.lastAge,
    endedAt.readings((ended) => Math.max(0, clock.now() - ended) / 1000),
  );
  return listen({
    "tidemark:checkpoint:start": ({ job }) => underWay.add(job, 1),
    "tidemark:checkpoint:end": (end) => {
      const { job, kind, status } = end;
      underWay.add(job, -1);
      count(1, { job, kind, status });
      duration(end.durationMs / 1000, { job, kind, status });
      syncPause(end.syncPauseMs / 1000, { job });
      written(end.incrementalBytes, { job, kind });
      // A savepoint is no checkpoint that the job continues from.
      if (status !== "completed" || kind === "savepoint") return;
      id.set(job, end.id);
      fullBytes.set(job, end.fullBytes);
      incrementalBytes.set(job, end.incrementalBytes);
      endedAt.set(job, end.endedAt);
    },
    "tidemark:checkpoint:subsumed": ({ job }) => subsumed(1, { job }),
  });
}

function restoreMetrics(sink: MetricSink): () => void {
  const count = sink.counter(definitions.restores);
  const duration = sink.histogram(definitions.restoreDuration);
  const bytes = new LatestByJob();
  const checkpoint = new LatestByJob();
  sink.gauge(definitions.restoreBytes, bytes.readings());
  sink.gauge(definitions.restoredId, checkpoint.readings());
  return listen({
    "tidemark:restore": (restore) => {
      const { job } = restore;
      count(1, { job });
      duration(restore.durationMs / 1000, { job });
      bytes.set(job, restore.bytes);
      checkpoint.set(job, restore.checkpoint);
    },
  });
}

function accessMetrics(sink: MetricSink): () => void {
  const duration = sink.histogram(definitions.stateAccess);
  return listen({
    "tidemark:state:access": ({ job, operator, state, operation, durationNs }) =>
      duration(durationNs / 1e9, { job, operator, state, operation }),
  });
}

function memoryMetrics(sink: MetricSink): () => void {
  const memtable = new LatestByJob();
  const cache = new LatestByJob();
  const limit = new LatestByJob();
  sink.gauge(definitions.memtable, memtable.readings());
  sink.gauge(definitions.cache, cache.readings());
  sink.gauge(definitions.memoryLimit, limit.readings());
  return listen({
    "tidemark:memory": ({ job, memtableBytes, cacheBytes, limitBytes }) => {
      memtable.set(job, memtableBytes);
      cache.set(job, cacheBytes);
      limit.set(job, limitBytes);
    },
  });
}

/** The latest figure of each job. */
class LatestByJob {
  readonly #latest = new Map<string, number>();

  set(job: string, figure: number): void {
    this.#latest.set(job, figure);
  }

  /** A start may have come before anyone listened: then it is not counted, nor is its end. */
  add(job: string, change: number): void {
    this.#latest.set(job, Math.max(0, (this.#latest.get(job) ?? 0) + change));
  }

  readings(shown: (figure: number) => number = (figure) => figure): Readings {
    return () => [...this.#latest].map(([job, figure]) => [shown(figure), { job }] as const);
  }
}
