/** Figures of the process that jobs run in: the event loop, garbage collection, the heap. */

import { monitorEventLoopDelay, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import type { HistogramDefinition, MetricDefinition, Metrics, MetricSink, Readings } from "./metric-sink.js";

export type { Metrics, MetricSink } from "./metric-sink.js";

/** The event loop is looked at so often. */
const RESOLUTION_MS = 10;

const LOOP_DELAY: MetricDefinition = {
  name: "runtime.event.loop.delay",
  unit: "seconds",
  help: "How late the event loop was since the last collection.",
  labels: ["statistic"],
};
const GC_PAUSE: HistogramDefinition = {
  name: "runtime.gc.pause",
  unit: "seconds",
  help: "For how long a garbage collection held the program up.",
  labels: ["kind"],
  buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
};
const HEAP: MetricDefinition = {
  name: "runtime.heap",
  unit: "bytes",
  help: "The heap of V8.",
  labels: ["statistic"],
};

/** By `kind` of a `gc` entry: the constants of `node:perf_hooks`. */
const GC_KINDS: ReadonlyMap<unknown, string> = new Map([
  [1, "minor"],
  [4, "major"],
  [8, "incremental"],
  [16, "weak-callbacks"],
]);

/** Keeps the metrics of this process in `sink`, until stopped. */
export function runtimeMetrics(sink: MetricSink): Metrics {
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  sink.gauge(LOOP_DELAY, () => loopDelays(loop));
  sink.gauge(HEAP, heapSizes);
  const pause = sink.histogram(GC_PAUSE);
  const collections = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) pause(entry.duration / 1000, { kind: gcKind(entry) });
  });
  loop.enable();
  collections.observe({ entryTypes: ["gc"] });
  return {
    stop() {
      collections.disconnect();
      loop.disable();
      sink.stop();
    },
  };
}

/** Every collection begins anew. A histogram that has seen nothing has no figures. */
function loopDelays(loop: ReturnType<typeof monitorEventLoopDelay>): ReturnType<Readings> {
  if (loop.count === 0) return [];
  const figures = { mean: loop.mean, p50: loop.percentile(50), p99: loop.percentile(99), max: loop.max };
  loop.reset();
  // What is measured is the time between two looks.
  return Object.entries(figures).map(([statistic, nanoseconds]) => [
    Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000),
    { statistic },
  ]);
}

function heapSizes(): ReturnType<Readings> {
  const { used_heap_size: used, total_heap_size: total, heap_size_limit: limit } = getHeapStatistics();
  return Object.entries({ used, total, limit }).map(([statistic, bytes]) => [bytes, { statistic }]);
}

/** Node's types of the entry lack `detail`. */
function gcKind(entry: PerformanceEntry): string {
  const kind = (entry as { readonly detail?: { readonly kind?: unknown } }).detail?.kind;
  return GC_KINDS.get(kind) ?? "other";
}
