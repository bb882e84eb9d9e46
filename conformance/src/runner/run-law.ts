/** Runs one law on one adapter, and says how it ended. */

import { systemClock } from "@tidemark/core";
import type { Coverage } from "../commands/coverage.js";
import type { Harness } from "../harness.js";
import type { OpenStoreHarness } from "../laws-of-stores/store-harness.js";
import { rememberPrototypes } from "../oracles/process-facts.js";
import type { AdapterHarness, Capabilities } from "./adapter-harness.js";
import { Blame, errorText } from "./blame.js";
import { CallTrace } from "./call-trace.js";
import { CaseFailure, checkCases } from "./check-cases.js";
import { inTime } from "./deadline.js";
import type { Law, LawContext } from "./law.js";
import { EXTENTS, type Profile } from "./profile.js";
import { nullHarness } from "./null-harness.js";
import { Session } from "./session.js";
import { storePlaces } from "./store-session.js";

export interface RunSettings {
  readonly capabilities: Required<Capabilities>;
  readonly coverage: Coverage;
  readonly profile: Profile;
  readonly seed: number;
  readonly path?: string | undefined;
  readonly deadlineMs: number;
  /** Stands between the kit and the jobs of properties. */
  readonly wrapJobs?: (jobs: Harness) => Harness;
  /** Whether the adapter is one that must fail: the first failure is enough. */
  readonly isCanary?: boolean;
  /** After the first failure, so long is spent on finding smaller ones, milliseconds. */
  readonly shrinkMs?: number;
  /** Told at the first failure of a property how many cases of it there were. */
  readonly onFailure?: (cases: number) => void;
}

/** How a law ended. */
export interface Outcome {
  readonly cases: number;
  readonly seconds: number;
  /** What was thrown; absent if the law holds. */
  readonly error?: unknown;
  /** Of the property that failed. */
  readonly path?: string;
  readonly trace: readonly string[];
}

/** A law that waits for what an adapter of nothing never does has noticed, milliseconds. */
const CANARY_MS = 5_000;

/** Never rejects. */
export async function runLaw(law: Law, harness: AdapterHarness, settings: RunSettings): Promise<Outcome> {
  // The first time this is asked for is before any call of an adapter.
  rememberPrototypes();
  const startMs = systemClock.monotonic();
  const trace = new CallTrace();
  const { deadlineMs } = settings;
  const isStore = harness.contract === "store";
  // What is of the other contract is never asked for: laws are chosen by contract.
  const session = new Session(isStore ? nullHarness({}) : harness, { deadlineMs, trace });
  const stores = isStore ? storePlaces(harness, { deadlineMs, trace }) : noStores;
  const counter = { cases: 0 };
  const context = contextOf({ session, stores }, settings, counter);
  const strays: unknown[] = [];
  const stray = (error: unknown): unknown => strays.push(error);
  process.on("unhandledRejection", stray);
  let error: unknown;
  try {
    const { lawMs, overtimeMs } = EXTENTS[settings.profile];
    const ms = settings.isCanary === true ? CANARY_MS : lawMs + overtimeMs;
    await inTime(law.run(context), { ms, culprit: "adapter", what: `The law ${law.id}` });
  } catch (thrown) {
    error = thrown;
  }
  const called = [...trace.lines];
  try {
    await session.dispose();
    // Rejections that nobody handles are reported a turn later.
    await systemClock.yield();
  } catch (thrown) {
    error ??= thrown;
  } finally {
    process.off("unhandledRejection", stray);
  }
  // A fault that core took for a failure of the storage is told as what it is.
  error = trace.blame ?? error ?? strayError(strays);
  const seconds = (systemClock.monotonic() - startMs) / 1000;
  const path = context.failedPath();
  return {
    cases: Math.max(1, counter.cases),
    seconds,
    trace: called,
    ...(error === undefined ? {} : { error }),
    ...(path === undefined ? {} : { path }),
  };
}

function strayError(strays: readonly unknown[]): Blame | undefined {
  if (strays.length === 0) return undefined;
  return new Blame(
    "adapter",
    `A promise was rejected and nobody was told. error=${errorText(strays[0])}. Handle every rejection, or return its promise.`,
    { cause: strays[0] },
  );
}

const noStores: OpenStoreHarness = () => Promise.reject(new Blame("kit", "The adapter is no store."));

interface Counter {
  cases: number;
}

function contextOf(
  { session, stores }: { readonly session: Session; readonly stores: OpenStoreHarness },
  settings: RunSettings,
  counter: Counter,
): LawContext & { readonly failedPath: () => string | undefined } {
  const { capabilities, coverage, profile, seed, isCanary: endOnFailure = false } = settings;
  const { factor, lawMs } = EXTENTS[profile];
  const wanted = settings.path === undefined ? undefined : pathOf(settings.path);
  const endMs = systemClock.monotonic() + lawMs;
  let properties = 0;
  let failedPath: string | undefined;
  return {
    capabilities,
    coverage,
    seed,
    runs: (base) => Math.max(1, Math.round(base * factor)),
    place: () => session.place(),
    stores,
    jobs: settings.wrapJobs?.(session.jobs) ?? session.jobs,
    isOver: () => systemClock.monotonic() > endMs,
    countCase: () => {
      counter.cases++;
    },
    failedPath: () => failedPath,
    async check(property, runs, show) {
      const index = properties++;
      if (wanted !== undefined && wanted.property !== index) return;
      const afterEach = (): Promise<void> => session.dispose();
      const { shrinkMs, onFailure } = settings;
      const bounds = { limitMs: lawMs, shrinkMs, endOnFailure };
      const common = { runs, seed, path: wanted?.path, ...bounds, onFailure, afterEach };
      try {
        counter.cases += await checkCases(property, common, show);
      } catch (error) {
        if (error instanceof CaseFailure) failedPath = index === 0 ? error.path : `${index}/${error.path}`;
        throw error;
      }
    },
  };
}

/** A path names the property of the law, if it is not the first: `2/17`. */
function pathOf(text: string): { readonly property: number; readonly path: string } {
  const [, property, path = ""] = /^(?:(\d+)\/)?(.*)$/.exec(text) ?? [];
  return { property: Number(property ?? 0), path };
}
