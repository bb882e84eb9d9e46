/** Metrics of Tidemark jobs for Prometheus. */

import type { Registry } from "prom-client";
import { jobMetrics } from "./job-metrics.js";
import type { Metrics } from "./metric-sink.js";
import { prometheusSink } from "./prometheus-sink.js";

export type { Metrics, MetricSink } from "./metric-sink.js";
export { prometheusSink } from "./prometheus-sink.js";

/**
 * Keeps the metrics of all jobs of this process in a registry, until stopped. Call it before jobs are opened.
 * `registry` is by default that of prom-client.
 * @throws {Error} by prom-client if the registry has such metrics already
 */
export function prometheusMetrics(registry?: Registry): Metrics {
  return jobMetrics(prometheusSink(registry));
}
