import { systemClock } from "@tidemark/core";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { prometheusSink } from "../src/prometheus.js";
import { runtimeMetrics } from "../src/runtime.js";

test("the event loop, garbage collection and the heap are measured until `stop`", async () => {
  const registry = new Registry();
  const metrics = runtimeMetrics(prometheusSink(registry));
  const waited = (ms: number) =>
    new Promise<void>((resolve) => {
      systemClock.schedule(ms, resolve, true);
    });
  await waited(50);
  const until = systemClock.monotonic() + 200;
  let garbage: unknown[] = [];
  while (systemClock.monotonic() < until) {
    garbage = Array.from({ length: 10_000 }, (_, i) => ({ i, before: garbage.length }));
  }
  await waited(50);
  const scraped = await registry.metrics();
  const figure = (series: string): number =>
    Number(
      scraped
        .split("\n")
        .find((line) => line.startsWith(series))
        ?.split(" ")[1],
    );
  expect(figure('tidemark_runtime_event_loop_delay_seconds{statistic="max"}')).toBeGreaterThan(0.1);
  expect(figure('tidemark_runtime_gc_pause_seconds_count{kind="minor"}')).toBeGreaterThan(0);
  expect(figure('tidemark_runtime_heap_bytes{statistic="used"}')).toBeGreaterThan(1_000_000);
  metrics.stop();
  expect(await registry.getMetricsAsJSON()).toEqual([]);
});
