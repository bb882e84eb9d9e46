/** Runs the cases of a property within a time, and says of a failure what is needed to see it again. */

import { systemClock } from "@tidemark/core";
import fc from "fast-check";
import { errorText } from "./blame.js";
import type { Program } from "./law.js";
import { linesOfCase } from "./show-case.js";

/** After the first failure, so long is spent on finding smaller ones, milliseconds; the default. */
const SHRINK_MS = 8_000;
/** While the smallest has more lines than these, so many times as long. */
const SMALL_LINES = 10;
const PATIENCE = 3;

export interface CaseSettings {
  readonly runs: number;
  readonly seed: number;
  readonly path?: string | undefined;
  readonly limitMs: number;
  /** Whether the first failure is enough. */
  readonly endOnFailure: boolean;
  /**
   * After the first failure, so long is spent on finding smaller ones, milliseconds; three times as long while the smallest has more than
   * ten lines. @defaultValue 8 s
   */
  readonly shrinkMs?: number | undefined;
  /** Told at the first failure how many cases there were, before smaller ones are looked for. */
  readonly onFailure?: ((cases: number) => void) | undefined;
  /** Called after each case. */
  readonly afterEach: () => Promise<void>;
}

/** A case of a property failed. */
export class CaseFailure extends Error {
  override readonly name = "CaseFailure";
  readonly path: string;
  readonly shrinks: number;
  readonly program: Program | undefined;

  constructor(
    message: string,
    details: { path: string; shrinks: number; program: Program | undefined; cause: unknown },
  ) {
    super(message, { cause: details.cause });
    this.path = details.path;
    this.shrinks = details.shrinks;
    this.program = details.program;
  }
}

/** Resolves to how many cases were looked at. @throws {CaseFailure} if one failed */
export async function checkCases<Given>(
  property: fc.IAsyncProperty<Given>,
  settings: CaseSettings,
  show?: (given: Given) => Program | undefined,
): Promise<number> {
  const { runs, seed, path, endOnFailure } = settings;
  let cases = 0;
  let failedMs: number | undefined;
  let endMs = systemClock.monotonic() + settings.limitMs;
  const timed = Object.create(property) as fc.IAsyncProperty<Given>;
  timed.run = async (given) => {
    // Late cases count as fulfilled, so that what has been found so far is the result.
    if (systemClock.monotonic() > endMs) return null;
    cases++;
    const failure = await property.run(given);
    await settings.afterEach();
    if (failure === null) return null;
    if (failedMs === undefined) settings.onFailure?.(cases);
    failedMs ??= systemClock.monotonic();
    const isSmall = (show?.(given)?.lines ?? linesOfCase(given)).length <= SMALL_LINES;
    endMs = failedMs + (isSmall ? 1 : PATIENCE) * (settings.shrinkMs ?? SHRINK_MS);
    return failure;
  };
  const replay = path === undefined ? {} : { path };
  const details = await fc.check(timed, { numRuns: runs, seed, endOnFailure, ...replay });
  if (!details.failed) return cases;
  const { counterexample, counterexamplePath, errorInstance, numShrinks } = details;
  const cause: unknown = errorInstance;
  throw new CaseFailure(errorText(cause), {
    // Programs of commands shrink by which of them ran, which a path of shrinks does not say: a replay makes it small again.
    path: counterexamplePath?.split(":")[0] ?? "",
    shrinks: numShrinks,
    program: counterexample === null ? undefined : (show?.(counterexample) ?? { lines: linesOfCase(counterexample) }),
    cause,
  });
}
