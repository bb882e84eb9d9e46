/** Figures for `prom-client`. */

import { Counter, Gauge, Histogram, register, type Registry } from "prom-client";
import type { MetricDefinition, MetricSink } from "./metric-sink.js";

/**
 * A sink whose metrics stand in `registry`, named `tidemark_<name>_<unit>`; counters end in `_total`.
 * @defaultValue the registry that prom-client has by default
 */
export function prometheusSink(registry: Registry = register): MetricSink {
  const names: string[] = [];
  const common = (definition: MetricDefinition, suffix = "") => {
    const name = prometheusName(definition, suffix);
    names.push(name);
    return { name, help: definition.help, labelNames: [...definition.labels], registers: [registry] };
  };
  return {
    counter(definition) {
      const counter = new Counter(common(definition, "_total"));
      return (amount, labels) => counter.inc({ ...labels }, amount);
    },
    histogram(definition) {
      const histogram = new Histogram({ ...common(definition), buckets: [...definition.buckets] });
      return (amount, labels) => histogram.observe({ ...labels }, amount);
    },
    gauge(definition, read) {
      const gauge: Gauge = new Gauge({
        ...common(definition),
        collect() {
          gauge.reset();
          for (const [value, labels] of read()) gauge.set({ ...labels }, value);
        },
      });
    },
    stop() {
      for (const name of names.splice(0)) registry.removeSingleMetric(name);
    },
  };
}

function prometheusName({ name, unit }: MetricDefinition, suffix: string): string {
  return `tidemark_${name.replaceAll(".", "_")}${unit === "count" ? "" : `_${unit}`}${suffix}`;
}
