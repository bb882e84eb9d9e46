/** Programs of commands, with different weights in each: rare combinations die where all weights are always the same. */

import fc from "fast-check";
import { CATALOG, TIMER_LOG } from "../model/catalog.js";
import type { ProgramSettings } from "../model/job-model.js";
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
import { concurrentUpdates, refusedWrites, stateCommands, stateCommandsInTurn, wrongTask } from "./state-commands.js";
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

/** A program of commands, and what holds for all of them. It leaves out kinds: bit `n` of `left` for the nth. */
export interface Program extends ProgramSettings {
  readonly commands: Iterable<Command>;
}

/** The first kind is never left out: without writes there is nothing to see. */
const LEFT_OUT_MAX = 2 ** KINDS.length - 1;

const ALL_STATES = 2 ** CATALOG.length - 1;

/** Which states are called, one bit each, and which are declared. */
type Swarm = Pick<ProgramSettings, "focus" | "catalog">;

const oneState = fc.nat(CATALOG.length - 1).map((index) => 1 << index);
const fewStates = fc.tuple(oneState, oneState, oneState).map(([a, b, c]) => a | b | c);

/** Few states are called; as many more are declared, and what timers write to. */
const someOfThem: fc.Arbitrary<Swarm> = fc.tuple(fewStates, fewStates).map(([focus, others]) => ({
  focus,
  catalog: CATALOG.filter(({ name }, index) => name === TIMER_LOG || (((focus | others) >> index) & 1) === 1),
}));

const allOfThem: fc.Arbitrary<Swarm> = fc.constant({ focus: ALL_STATES, catalog: CATALOG });

/**
 * Programs of up to `maxCommands` commands; most leave a random third of the kinds out, and most of the states.
 * In place of one call of a state a program may have up to `maxCalls`, each of which counts as a command.
 */
export function programs(maxCommands: number, maxCalls = 1): fc.Arbitrary<Program> {
  const arbitraries = KINDS.flatMap(({ commands, weight }, kind) => {
    const given = kind === 0 && maxCalls > 1 ? stateCommandsInTurn(maxCalls) : commands;
    const limited = given.map((each) => unlessLeftOut(each, kind));
    return Array.from({ length: weight }, () => limited);
  });
  const bits = fc.nat(LEFT_OUT_MAX);
  const left = fc.tuple(bits, bits).map(([a, b]) => a & b & ~1);
  const settings = fc.record({
    left: fc.oneof(fc.constant(0), left, left),
    rescales: fc.boolean(),
    evolves: fc.constantFrom(false, false, true),
  });
  const swarm = fc.oneof(allOfThem, someOfThem, someOfThem);
  const commands = fc.commands(arbitraries, { maxCommands, size: "max" });
  return fc.tuple(settings, swarm, commands).map(([some, others, each]) => ({ ...some, ...others, commands: each }));
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
