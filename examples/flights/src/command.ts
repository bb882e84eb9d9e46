/**
 * The command: options in, report out, exit code.
 *
 * Invariants:
 * - With `--json` stdout carries one JSON document and nothing else; without it everything goes to stdout.
 * - Exit code 0: the digests match. 1: they do not, or the run failed. 2: the command was called wrongly.
 */

import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { backendEntry } from "./backends.js";
import { ExpectedProcess } from "./expected-process.js";
import { Interruption } from "./interruption.js";
import { parseOptions, type RunOptions, UsageError } from "./options.js";
import { Progress } from "./progress.js";
import { jsonReport, printReport, type Report } from "./report.js";
import { acquireServer } from "./servers.js";
import { Supervisor } from "./supervisor.js";

const ownWorker = fileURLToPath(new URL("./worker-main.js", import.meta.url));

/** Runs the command and resolves with its exit code. `worker` is the path of the module that each process of the job runs. */
export async function runCommand(args: readonly string[], worker: string = ownWorker): Promise<number> {
  try {
    const options = await parseOptions(args);
    return options === "help" ? 0 : await run(options, worker);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function run(options: RunOptions, worker: string): Promise<number> {
  const interruption = new Interruption();
  const { directory, remove } = await checkpointDirectory(options);
  const space = `flights-${randomUUID()}`;
  const acquired = acquireServer({ ...options, space });
  try {
    const url = (await interruption.orEnd(acquired))?.url;
    const report = await interruption.orEnd(compare({ options, directory, space, url, worker, interruption }));
    if (options.json) process.stdout.write(`${JSON.stringify(jsonReport(report), null, 2)}\n`);
    else printReport(report, process.stdout);
    return report.match ? 0 : 1;
  } finally {
    // A server that was still starting is ended too. One that could not be started has been told of above.
    const server = await acquired.catch(() => undefined);
    await server?.release().catch(() => process.stderr.write(leftBehind(space)));
    interruption.end();
    await remove();
  }
}

function leftBehind(space: string): string {
  return `What the run stored on the server could not be removed. name=${space}. Remove what is named so when the server is there again.\n`;
}

interface Comparison {
  readonly options: RunOptions;
  readonly directory: string;
  readonly space: string;
  readonly url: string | undefined;
  readonly worker: string;
  readonly interruption: Interruption;
}

/** The job and the plain computation side by side. */
async function compare({ interruption, ...parts }: Comparison): Promise<Report> {
  const { options } = parts;
  const startedMs = performance.now();
  const progress = new Progress(options.json ? process.stderr : process.stdout, options.events);
  const supervisor = new Supervisor({ ...parts, progress });
  const expected = new ExpectedProcess(options);
  const stop = (): void => {
    supervisor.stop();
    expected.stop();
    progress.stop();
  };
  interruption.onSignal(stop);
  try {
    const [run, reference] = await Promise.all([supervisor.run(), expected.result()]);
    const totalMs = performance.now() - startedMs;
    return { options, run, reference, totalMs, match: run.result.digest === reference.digest };
  } finally {
    stop();
  }
}

/** Where checkpoints go, and how to clean up: what the user named stays. */
async function checkpointDirectory(options: RunOptions): Promise<{ directory: string; remove: () => Promise<void> }> {
  if (options.directory !== undefined || !backendEntry(options.backend).usesDirectory) {
    return { directory: options.directory ?? "", remove: async () => {} };
  }
  const directory = await mkdtemp(join(tmpdir(), "tidemark-flights-"));
  return { directory, remove: () => rm(directory, { recursive: true, force: true, maxRetries: 3 }) };
}
