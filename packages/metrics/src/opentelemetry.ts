/** Metrics of Tidemark jobs for OpenTelemetry. */

import type { Meter } from "@opentelemetry/api";
import { jobMetrics } from "./job-metrics.js";
import type { Metrics } from "./metric-sink.js";
import { openTelemetrySink } from "./opentelemetry-sink.js";

export type { Metrics, MetricSink } from "./metric-sink.js";
export { openTelemetrySink } from "./opentelemetry-sink.js";

/** Keeps the metrics of all jobs of this process with `meter`, until stopped. Call it before jobs are opened. */
export function openTelemetryMetrics(meter: Meter): Metrics {
  return jobMetrics(openTelemetrySink(meter));
}
