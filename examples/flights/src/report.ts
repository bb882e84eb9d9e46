/** What the run came to: as tables for a person, as JSON for a program. */

import Table from "cli-table3";
import type { BusyAirport } from "./busiest.js";
import { formatBytes, formatCount, formatDay, formatMinutes, formatMs, formatSeconds, formatShare } from "./format.js";
import type { RunOptions } from "./options.js";
import type { StateDigest } from "./state-digest.js";
import type { CheckpointRecord, RunRecord } from "./supervisor.js";

export interface Report {
  readonly options: RunOptions;
  readonly run: RunRecord;
  /** Of the plain computation. */
  readonly reference: StateDigest;
  /** Wall time of everything. */
  readonly totalMs: number;
  readonly match: boolean;
}

/** The document of `--json`. Times in milliseconds, sizes in bytes; a figure that nobody could tell is null. */
export function jsonReport(report: Report): object {
  const { options, run, reference, totalMs, match } = report;
  const { backend, memory = null, daily, events, checkpointEvery, seed } = options;
  return {
    backend,
    memory,
    daily,
    events,
    eventsPerSecond: eventsPerSecond(report),
    kills: run.kills.length,
    restoredFrom: run.kills.map(({ restoredFrom }) => restoredFrom),
    checkpoints: run.checkpoints.map(jsonCheckpoint),
    digest: run.result.digest,
    expectedDigest: reference.digest,
    match,
    differs: differences(report),
    killed: run.kills,
    eventsRepeated: eventsRepeated(run),
    readFrom: run.result.restoredFrom,
    busiest: run.result.busiest,
    checkpointEvery,
    seed,
    processingMs: run.processingMs,
    totalMs,
  };
}

function jsonCheckpoint(checkpoint: CheckpointRecord): object {
  const { id, attempt, position, kind = null, fullBytes = null, incrementalBytes = null } = checkpoint;
  const { syncPauseMs = null, durationMs = null } = checkpoint;
  return { id, attempt, position, kind, fullBytes, incrementalBytes, syncPauseMs, durationMs };
}

/** Writes the tables, and the verdict as the last line. */
export function printReport(report: Report, out: NodeJS.WritableStream): void {
  const { options, run, totalMs, match } = report;
  const times = (count: number, noun: string): string => `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
  const lines = [
    "",
    "The busiest airports",
    busiestTable(run.result.busiest),
    "",
    `Checkpoints on ${options.backend}`,
    checkpointTable(run),
    "",
    `${times(options.events, "flight")} in ${formatSeconds(run.processingMs)}: ${formatCount(eventsPerSecond(report))} per ` +
      `second, with ${times(run.kills.length, "kill")} and ${times(eventsRepeated(run), "flight")} processed again. ` +
      `All in all ${formatSeconds(totalMs)}.`,
    ...(options.directory === undefined ? [] : [`The checkpoints are in ${options.directory}.`]),
    ...(match ? [] : [`State and plain computation differ in: ${differences(report).join(", ")}.`]),
    match ? `exactly-once: match ${run.result.digest}` : "exactly-once: MISMATCH",
  ];
  out.write(`${lines.join("\n")}\n`);
}

function busiestTable(busiest: readonly BusyAirport[]): string {
  const head = ["airport", "flights", "mean delay", "max delay", "on time", "most flights to", "worst delay"];
  const table = plainTable(head, ["left", "right", "right", "right", "right", "left", "left"]);
  for (const { airport, flights, delay, topDestination, topDestinationFlights, worst } of busiest) {
    table.push([
      airport,
      formatCount(flights),
      formatMinutes(delay.mean),
      formatMinutes(delay.max),
      formatShare(delay.onTimeShare),
      `${topDestination} (${formatCount(topDestinationFlights)})`,
      `${formatDay(worst.date)} to ${worst.destination}`,
    ]);
  }
  return table.toString();
}

function checkpointTable({ checkpoints, kills, result }: RunRecord): string {
  const head = ["id", "attempt", "flights", "full", "incremental", "sync pause", "duration", "restored"];
  const table = plainTable(head, ["right", "right", "right", "right", "right", "right", "right", "left"]);
  for (const checkpoint of checkpoints) {
    const { id, attempt, position, fullBytes, incrementalBytes, syncPauseMs, durationMs } = checkpoint;
    const after = kills.flatMap(({ restoredFrom }, i) => (restoredFrom === id ? [`after kill ${i + 1}`] : []));
    if (result.restoredFrom === id) after.push("to compare");
    table.push([
      id,
      attempt,
      formatCount(position),
      known(fullBytes, formatBytes),
      known(incrementalBytes, formatBytes),
      known(syncPauseMs, formatMs),
      known(durationMs, formatMs),
      after.join(", "),
    ]);
  }
  return table.toString();
}

function plainTable(head: string[], colAligns: ("left" | "right")[]): Table.Table {
  return new Table({ head, colAligns, style: { head: [], border: [], compact: true } });
}

function known(figure: number | undefined, format: (figure: number) => string): string {
  return figure === undefined ? "not told" : format(figure);
}

function eventsPerSecond({ options, run }: Report): number {
  return Math.round((options.events / run.processingMs) * 1000);
}

function eventsRepeated({ kills }: RunRecord): number {
  return kills.reduce((sum, { position, restoredPosition }) => sum + position - restoredPosition, 0);
}

/** Names of the states that are not what the plain computation gives. */
function differences({ run, reference }: Report): string[] {
  const names = new Set([...Object.keys(run.result.digests), ...Object.keys(reference.digests)]);
  return [...names].filter((name) => run.result.digests[name] !== reference.digests[name]);
}
