import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { expect, onTestFinished, test } from "vitest";
import { openTelemetryMetrics } from "../src/opentelemetry.js";
import { BACKENDS, emptyBackend, runJob, sumOf } from "./run-job.js";

function meterOf() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  onTestFinished(() => provider.shutdown());
  const points = async (name: string) => {
    exporter.reset();
    await provider.forceFlush();
    const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    return metrics.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
  };
  return { meter: provider.getMeter("test"), points };
}

test.each(BACKENDS)("T100 an export has the figures of the checkpoints of a job on %s", async (name) => {
  const { meter, points } = meterOf();
  const metrics = openTelemetryMetrics(meter);
  onTestFinished(() => metrics.stop());
  const { completed, restoredBytes } = await runJob(await emptyBackend(name));
  const last = completed.at(-1);
  const figures = async (metric: string) => (await points(`tidemark.${metric}`)).map(({ value }) => value);
  expect(await points("tidemark.checkpoints")).toMatchObject([
    { value: 3, attributes: { job: "job", kind: "incremental", status: "completed" } },
  ]);
  const [duration] = await figures("checkpoint.duration");
  expect(duration).toMatchObject({ count: 3 });
  expect((duration as { readonly sum: number }).sum).toBeCloseTo(sumOf(completed, "durationMs") / 1000, 9);
  expect(await figures("checkpoint.written")).toEqual([sumOf(completed, "incrementalBytes")]);
  expect(await figures("checkpoint.last.id")).toEqual([last?.id]);
  expect(await figures("checkpoint.last.full")).toEqual([last?.fullBytes]);
  expect(await figures("checkpoints.subsumed")).toEqual([2]);
  expect(await figures("restore.last")).toEqual([restoredBytes]);
  expect(await figures("memory.limit")).toEqual([256 * 1024 * 1024]);
  const accesses = (await points("tidemark.state.access.duration")).map(({ attributes, value }) => [
    attributes.operation,
    (value as { readonly count: number }).count,
  ]);
  expect(Object.fromEntries(accesses)).toEqual({ set: 3, get: 1 });
});
