/** A generated case as lines that a person can follow: one for each command, call or turn, and one for what is declared. */

import fc from "fast-check";
import { shownChoice } from "../commands/state-commands.js";
import { CATALOG, type StateSpec } from "../model/catalog.js";
import type { OperationChoice } from "../model/operation.js";

type Declared = readonly (readonly StateSpec[])[];

/** Calls are shown as they read where `declared` are the states of each operator: by default all that the kit has. */
export function linesOfCase(given: unknown, declared: Declared = [CATALOG, CATALOG]): readonly string[] {
  if (typeof given !== "object" || given === null) return [typeof given === "string" ? given : fc.stringify(given)];
  const program = programOf(given);
  if (program !== undefined) {
    return program.filter(({ hasRan }) => hasRan !== false).map((each) => each.toString());
  }
  if (Array.isArray(given)) return (given as unknown[]).flatMap((part) => linesOfCase(part, declared));
  if (isChoice(given)) return [shownChoice(given, declared)];
  if (isSpec(given)) return [`declares ${given.kind} ${JSON.stringify(given.name.slice(0, 20))}`];
  if (isCommand(given)) return [given.toString()];
  if ("operations" in given) return roundLines(given, declared);
  return [fc.stringify(given)];
}

interface ShownCommand {
  readonly hasRan?: boolean;
  toString(): string;
}

/** The commands of a program, or of a case that has one. What else such a case says decides which commands ran. */
function programOf(given: object): ShownCommand[] | undefined {
  if (Array.isArray(given)) return undefined;
  if (isIterable(given)) return [...given] as ShownCommand[];
  return "commands" in given && isIterable(given.commands) ? ([...given.commands] as ShownCommand[]) : undefined;
}

/** Some calls, and what comes behind them. */
function roundLines(round: object & { readonly operations: unknown }, declared: Declared): readonly string[] {
  const { operations, ...rest } = round;
  const isPlain = Object.keys(rest).join() === "isAborted";
  const end = isPlain
    ? (rest as { isAborted: boolean }).isAborted
      ? "a checkpoint that fails"
      : "a checkpoint"
    : fc.stringify(rest);
  return [...linesOfCase(operations, declared), end];
}

function isCommand(given: object): given is ShownCommand {
  return "run" in given && "check" in given;
}

function isChoice(given: object): given is OperationChoice {
  return "verb" in given && "state" in given && "tampers" in given;
}

function isSpec(given: object): given is StateSpec {
  return "kind" in given && "isNamespaced" in given;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}
