/** Figures for OpenTelemetry. Only types of its API are used: the meter belongs to the program. */

import type { Meter, ObservableResult } from "@opentelemetry/api";
import type { HistogramDefinition, MetricDefinition, MetricSink } from "./metric-sink.js";

/** Units in the notation of UCUM, as OpenTelemetry has them. */
const UNITS: Readonly<Record<MetricDefinition["unit"], string>> = { seconds: "s", bytes: "By", count: "1" };

/**
 * A sink whose instruments are made by `meter`, named `tidemark.<name>`.
 * OpenTelemetry cannot take counters and histograms away again: after `stop` they stay, and do not change.
 */
export function openTelemetrySink(meter: Meter): MetricSink {
  const removals: (() => void)[] = [];
  return {
    counter(definition) {
      const counter = meter.createCounter(nameOf(definition), optionsOf(definition));
      return (amount, labels) => counter.add(amount, labels);
    },
    histogram(definition) {
      const histogram = meter.createHistogram(nameOf(definition), {
        ...optionsOf(definition),
        advice: { explicitBucketBoundaries: bucketsOf(definition) },
      });
      return (amount, labels) => histogram.record(amount, labels);
    },
    gauge(definition, read) {
      const gauge = meter.createObservableGauge(nameOf(definition), optionsOf(definition));
      const callback = (result: ObservableResult): void => {
        for (const [value, labels] of read()) result.observe(value, labels);
      };
      gauge.addCallback(callback);
      removals.push(() => gauge.removeCallback(callback));
    },
    stop() {
      for (const remove of removals.splice(0)) remove();
    },
  };
}

function nameOf({ name }: MetricDefinition): string {
  return `tidemark.${name}`;
}

function optionsOf({ help, unit }: MetricDefinition): { readonly description: string; readonly unit: string } {
  return { description: help, unit: UNITS[unit] };
}

function bucketsOf({ buckets }: HistogramDefinition): number[] {
  return [...buckets];
}
