/** The options of the command, checked as a whole before anything starts. */

import { readdir } from "node:fs/promises";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { backendEntry, backendNames } from "./backends.js";
import { FLIGHT_COUNT } from "./flight-file.js";
import { serverEntry } from "./servers.js";

const CHECKPOINT_EVERY = 250_000;
/** Less is refused by the backend. */
const MEMORY_MIB_MIN = 16;

export interface RunOptions {
  readonly backend: string;
  /** What the working state may take; the backend's default if not given. */
  readonly memory: string | undefined;
  readonly events: number;
  /** Events from one checkpoint to the next. */
  readonly checkpointEvery: number;
  /** Whether flights are counted by destination and day too. */
  readonly daily: boolean;
  readonly kills: number;
  readonly seed: number;
  readonly json: boolean;
  readonly directory: string | undefined;
  /** Of a server that runs already; else one is started where the backend needs one. */
  readonly url: string | undefined;
}

/** The command was called wrongly. The message is one line and ends with the remedy. */
export class UsageError extends Error {}

/**
 * Resolves with the options, or with "help" when help was asked for and printed.
 * @throws {UsageError} for an option or a combination that cannot be
 */
export async function parseOptions(args: readonly string[]): Promise<RunOptions | "help"> {
  const parsed = parse(args);
  if (parsed === "help") return "help";
  const options: RunOptions = {
    ...parsed,
    url: parsed.url ?? givenUrl(parsed.backend),
    // Else all of the state has room in any memory.
    daily: parsed.daily || parsed.memory !== undefined,
    checkpointEvery: checkpointEvery(parsed.events),
  };
  checkMemory(options);
  checkUrl(options);
  checkKills(options);
  await checkDirectory(options);
  return options;
}

const ABSENT = Object.freeze({ directory: undefined, memory: undefined, url: undefined });

type Parsed = Omit<RunOptions, "checkpointEvery">;

function parse(args: readonly string[]): Parsed | "help" {
  const command = buildCommand();
  try {
    command.parse(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return "help";
    throw new UsageError(oneLine(error));
  }
  return { ...ABSENT, ...command.opts<Omit<Parsed, keyof typeof ABSENT>>() };
}

function buildCommand(): Command {
  const quiet = { writeErr: () => {}, outputError: () => {} };
  return new Command("npm start --")
    .description(
      "Keeps statistics over US flights of 2001, is killed and restored, and compares itself with plain code.",
    )
    .option("--backend <name>", `where state lives: ${backendNames.join(", ")}`, backendName, "lsm")
    .option("--memory <size>", 'with lsm: what the working state may take, as "16mb"; turns on --daily', memorySize)
    .option("--daily", "counts flights by destination and day too: state of half a million rows", false)
    .option("--events <count>", "flights to process", integer("events", 1, FLIGHT_COUNT), FLIGHT_COUNT)
    .option("--kills <count>", "how often the job is killed", integer("kills", 0, 1000), 2)
    .option("--seed <number>", "decides at which points", integer("seed", 0, 0xffff_ffff), 2001)
    .option("--json", "one JSON document on stdout, progress on stderr", false)
    .option("--directory <path>", "where checkpoints go and stay; else in a temporary place")
    .option("--url <url>", "with redis or postgres: a server that runs already; else one is started")
    .helpOption("--help", "this text")
    .allowExcessArguments(false)
    .configureOutput(quiet)
    .exitOverride();
}

function backendName(name: string): string {
  if (backendNames.includes(name)) return name;
  throw new InvalidArgumentError(`Choose one of: ${backendNames.join(", ")}.`);
}

function memorySize(text: string): string {
  const [, count, unit = ""] = /^(\d+)(mb|gb)$/.exec(text) ?? [];
  if (Number(count) * (unit === "gb" ? 1024 : 1) >= MEMORY_MIB_MIN) return text;
  throw new InvalidArgumentError(`Give memory as "${MEMORY_MIB_MIN}mb", or more.`);
}

function integer(name: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`Give ${name} as an integer from ${least} to ${most}.`);
  };
}

/** Short runs take their checkpoints closer together: a run without a checkpoint before its end would show nothing. */
function checkpointEvery(events: number): number {
  return events > CHECKPOINT_EVERY ? CHECKPOINT_EVERY : Math.ceil(events / 4);
}

function checkMemory({ backend, memory }: RunOptions): void {
  if (memory === undefined || backendEntry(backend).isBounded) return;
  throw new UsageError(`This backend has no bound for its memory. backend=${backend}. Leave --memory out.`);
}

function givenUrl(backend: string): string | undefined {
  const entry = serverEntry(backend);
  return entry === undefined ? undefined : process.env[entry.variable];
}

/** The URL may have a password in it: it is never shown. */
function checkUrl({ backend, url }: RunOptions): void {
  if (url === undefined) return;
  const entry = serverEntry(backend);
  if (entry === undefined) throw new UsageError(`This backend uses no server. backend=${backend}. Leave --url out.`);
  const { protocols, variable } = entry;
  if (URL.canParse(url) && protocols.includes(new URL(url).protocol)) return;
  throw new UsageError(
    `The address of the server cannot be. backend=${backend}. ` +
      `Give --url, or ${variable}, as ${protocols.map((protocol) => `${protocol}//host:port`).join(" or ")}.`,
  );
}

function checkKills({ events, kills, checkpointEvery }: RunOptions): void {
  const room = events - checkpointEvery;
  if (kills <= room) return;
  throw new UsageError(
    `Too many kills: each needs an event of its own after the first checkpoint. kills=${kills} events=${events} ` +
      `firstCheckpoint=${checkpointEvery}. Give more --events, or at most --kills ${room}.`,
  );
}

async function checkDirectory({ backend, directory }: RunOptions): Promise<void> {
  if (directory === undefined) return;
  if (!backendEntry(backend).usesDirectory) {
    throw new UsageError(`This backend uses no directory. backend=${backend}. Leave --directory out.`);
  }
  const found = await entriesOf(directory);
  if (found === 0) return;
  throw new UsageError(
    `The directory is not empty. directory=${JSON.stringify(directory)}. Name an empty or a new one.`,
  );
}

async function entriesOf(directory: string): Promise<number> {
  try {
    return (await readdir(directory)).length;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return 0;
    throw new UsageError(
      `The directory cannot be used. directory=${JSON.stringify(directory)} code=${code}. Name an empty or a new one.`,
    );
  }
}

function oneLine({ code, message }: CommanderError): string {
  const text = message.replace(/^error: /, "").replace(/\s+/g, " ");
  // What `backendName` and `integer` say ends with the remedy.
  if (code === "commander.invalidArgument") return text;
  return `${text}${text.endsWith(".") ? "" : "."} Run with --help for the options.`;
}
