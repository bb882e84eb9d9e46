/**
 * Runs histories on the backend in memory for as long as it is told to: the reference is sound, so whatever fails is a false alarm of
 * the kit, or a fault of core.
 *
 * What is counted: a command is one step of a program, run on a job and on the model, its results compared. A call of a state is one,
 * with all that is read back behind it; so is a checkpoint, or a reopening with the comparison of the whole state. Of the two runs of "same savepoints" one counts.
 * The rate is all of them over all of the time: drawing programs, opening jobs, and restoring what is retained at the end of each.
 *
 * Of a round, 10 programs are dense histories, of 6,000 calls each; 10 are of any commands, and 10 are run twice. Those have up to 80 commands, and up
 * to 8 calls in place of each call of a state: few commands, and nearly half of the time.
 */

import { systemClock } from "@tidemark/core";
import fc from "fast-check";
import { Coverage } from "../commands/coverage.js";
import { sameSavepoints } from "../differential/same-savepoints.js";
import { memoryPlace } from "../harness.js";
import { anyHistory } from "../properties/any-history.js";
import { denseHistory } from "../properties/dense-history.js";
import { memoryBackend } from "../reference/memory-harness.js";
import type { SoakArguments } from "./arguments.js";
import type { Terminal } from "./run-command.js";

const HISTORY_LENGTH = 80;
/** Calls of states in place of one, in histories of all commands. */
const CALLS_MAX = 8;
/** Cases between two looks at the clock. */
const ROUND = 10;
const PROGRESS_MS = 30_000;

/** Resolves to the exit code: 0 if nothing failed. The last line is `commands without a false alarm: N`. */
export async function runSoak({ commands, minutes, seed }: SoakArguments, { out, err }: Terminal): Promise<number> {
  const harness = { name: "memory", backend: memoryBackend, place: memoryPlace };
  const coverage = new Coverage();
  const startMs = systemClock.monotonic();
  const endMs = startMs + minutes * 60_000;
  let toldMs = startMs;
  const startCpu = process.cpuUsage();
  const any = anyHistory(harness, coverage, HISTORY_LENGTH, CALLS_MAX);
  const same = sameSavepoints(harness, coverage, HISTORY_LENGTH, { maxCalls: CALLS_MAX });
  const properties: readonly (readonly [name: string, property: fc.IAsyncProperty<never>])[] = [
    ["dense history", denseHistory(harness, coverage) as fc.IAsyncProperty<never>],
    ["any history", any as unknown as fc.IAsyncProperty<never>],
    ["same savepoints", same as unknown as fc.IAsyncProperty<never>],
  ];
  for (let round = 0; coverage.commands < commands && systemClock.monotonic() < endMs; round++) {
    for (const [name, property] of properties) {
      const details = await fc.check(property, { seed: seed + round, numRuns: ROUND });
      if (details.failed) {
        out(
          `${name} failed after ${coverage.commands} commands. seed=${seed + round}\n${fc.defaultReportMessage(details) ?? ""}\n`,
        );
        return 1;
      }
    }
    if (systemClock.monotonic() - toldMs > PROGRESS_MS) {
      toldMs = systemClock.monotonic();
      err(`${coverage.commands} commands in ${secondsOf(toldMs - startMs)} s\n`);
    }
  }
  const seconds = (systemClock.monotonic() - startMs) / 1000;
  out(`${coverage.report}\n`);
  const { user, system } = process.cpuUsage(startCpu);
  const rate = (time: number): number => Math.round(coverage.commands / time);
  out(
    `${rate(seconds)} commands a second, ${rate((user + system) / 1e6)} for each second of CPU; ${Math.round(seconds)} s, seed ${seed}\n`,
  );
  out(`commands without a false alarm: ${coverage.commands}\n`);
  return 0;
}

function secondsOf(ms: number): number {
  return Math.round(ms / 1000);
}
