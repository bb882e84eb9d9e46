/** Programs of commands, with different weights in each: rare combinations die where all weights are always the same. */

import fc from "fast-check";
import { CATALOG } from "../model/catalog.js";
import { observations, retainedChecks } from "./check-commands.js";
import {
  checkpoints,
  queuedCheckpoints,
  savepoints,
  timeouts,
  writesDuringSavepoint,
  writesDuringUpload,
} from "./checkpoint-commands.js";
import type { Command } from "./command.js";
import { reopenCommands } from "./reopen-commands.js";
import { concurrentUpdates, refusedWrites, stateCommands, wrongTask } from "./state-commands.js";
import { clockMoves, timerCalls, watermarks } from "./time-commands.js";
import { zombieCalls } from "./zombie-commands.js";

/** Kinds of commands and how often each is chosen. */
const KINDS: readonly { readonly commands: fc.Arbitrary<Command>; readonly weight: number }[] = [
  { commands: stateCommands, weight: 24 },
  { commands: concurrentUpdates, weight: 1 },
  { commands: wrongTask, weight: 1 },
  { commands: refusedWrites, weight: 2 },
  { commands: checkpoints, weight: 5 },
  { commands: writesDuringUpload, weight: 2 },
  { commands: timeouts, weight: 1 },
  { commands: queuedCheckpoints, weight: 1 },
  { commands: savepoints, weight: 1 },
  { commands: reopenCommands, weight: 4 },
  { commands: zombieCalls, weight: 2 },
  { commands: observations, weight: 1 },
  { commands: retainedChecks, weight: 1 },
  { commands: clockMoves, weight: 4 },
  { commands: watermarks, weight: 4 },
  { commands: timerCalls, weight: 4 },
  { commands: writesDuringSavepoint, weight: 1 },
];

/** A program of commands, and which kinds of them it leaves out: bit `n` for the nth kind. */
export interface Program {
  readonly left: number;
  /**
   * Whether the numbers of tasks change; otherwise operator state may be left undeclared. Both at once is refused.
   */
  readonly rescales: boolean;
  /** Whether values get newer formats. */
  readonly evolves: boolean;
  /** States that operations choose from, one bit each. */
  readonly focus: number;
  readonly commands: Iterable<Command>;
}

/** The first kind is never left out: without writes there is nothing to see. */
const LEFT_OUT_MAX = 2 ** KINDS.length - 1;

const ALL_STATES = 2 ** CATALOG.length - 1;

/** Programs of up to `maxCommands` commands; most leave a random third of the kinds out. */
export function programs(maxCommands: number): fc.Arbitrary<Program> {
  const arbitraries = KINDS.flatMap(({ commands, weight }, kind) => {
    const limited = commands.map((each) => unlessLeftOut(each, kind));
    return Array.from({ length: weight }, () => limited);
  });
  const bits = fc.nat(LEFT_OUT_MAX);
  const state = fc.nat(CATALOG.length - 1).map((index) => 1 << index);
  const few = fc.tuple(state, state, state).map(([a, b, c]) => a | b | c);
  const left = fc.tuple(bits, bits).map(([a, b]) => a & b & ~1);
  return fc.record({
    left: fc.oneof(fc.constant(0), left, left),
    rescales: fc.boolean(),
    evolves: fc.constantFrom(false, false, true),
    focus: fc.oneof(fc.constant(ALL_STATES), few, few),
    commands: fc.commands(arbitraries, { maxCommands, size: "max" }),
  });
}

function unlessLeftOut(each: Command, kind: number): Command {
  return {
    check: ({ left }) => ((left >> kind) & 1) === 0,
    run(model, real) {
      real.coverage.commands++;
      return each.run(model, real);
    },
    toString: () => each.toString(),
  };
}
