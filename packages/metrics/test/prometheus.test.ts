import { channel } from "node:diagnostics_channel";
import { Registry } from "prom-client";
import { expect, onTestFinished, test } from "vitest";
import { prometheusMetrics } from "../src/prometheus.js";
import { BACKENDS, emptyBackend, runJob, sumOf } from "./run-job.js";

/** Lines of a scrape by name and labels. */
async function scrape(registry: Registry): Promise<ReadonlyMap<string, number>> {
  const lines = (await registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

test.each(BACKENDS)("T100 a scrape has the figures of the checkpoints of a job on %s", async (name) => {
  const registry = new Registry();
  const metrics = prometheusMetrics(registry);
  onTestFinished(() => metrics.stop());
  const { completed, restoredBytes } = await runJob(await emptyBackend(name));
  const scraped = await scrape(registry);
  const figure = (series: string, labels = 'job="job"'): number | undefined =>
    scraped.get(`tidemark_${series}{${labels}}`);
  const last = completed.at(-1);
  const ofKind = 'job="job",kind="incremental",status="completed"';
  expect(completed).toHaveLength(3);
  expect(figure("checkpoints_total", ofKind)).toBe(3);
  expect(figure("checkpoint_duration_seconds_count", ofKind)).toBe(3);
  expect(figure("checkpoint_duration_seconds_sum", ofKind)).toBeCloseTo(sumOf(completed, "durationMs") / 1000, 9);
  expect(figure("checkpoint_written_bytes_total", 'job="job",kind="incremental"')).toBe(
    sumOf(completed, "incrementalBytes"),
  );
  expect(figure("checkpoint_last_id")).toBe(last?.id);
  expect(figure("checkpoint_last_full_bytes")).toBe(last?.fullBytes);
  expect(figure("checkpoint_last_incremental_bytes")).toBe(last?.incrementalBytes);
  expect(figure("checkpoint_last_age_seconds")).toBeGreaterThanOrEqual(0);
  expect(figure("checkpoint_last_age_seconds")).toBeLessThan(60);
  expect(figure("checkpoints_subsumed_total")).toBe(2);
  expect(figure("checkpoints_under_way")).toBe(0);
  expect(figure("restores_total")).toBe(1);
  expect(figure("restore_last_id")).toBe(last?.id);
  expect(figure("restore_last_bytes")).toBe(restoredBytes);
  expect(figure("memory_memtable_bytes")).toBe(0);
  expect(figure("memory_limit_bytes")).toBe(256 * 1024 * 1024);
  const access = (operation: string) => `job="job",operator="counter",state="count",operation="${operation}"`;
  expect(figure("state_access_duration_seconds_count", access("set"))).toBe(3);
  expect(figure("state_access_duration_seconds_count", access("get"))).toBe(1);
});

test("T105 after `stop` nothing listens and the registry is empty", async () => {
  const registry = new Registry();
  const metrics = prometheusMetrics(registry);
  metrics.stop();
  metrics.stop();
  expect(channel("tidemark:checkpoint:end").hasSubscribers).toBe(false);
  expect(channel("tidemark:state:access").hasSubscribers).toBe(false);
  expect(await registry.getMetricsAsJSON()).toEqual([]);
  prometheusMetrics(registry).stop();
});
