/** Commands that call states: in turn, concurrently, at the wrong task, with what cannot be stored. */

import { hasCode } from "@tidemark/core";
import fc from "fast-check";
import { CATALOG, isLenient, isOperatorKind, type StateSpec } from "../model/catalog.js";
import type { JobModel } from "../model/job-model.js";
import { mayStillGive } from "../model/lenience.js";
import {
  type Operation,
  type OperationChoice,
  resolveOperation,
  showOperation,
  type Verb,
} from "../model/operation.js";
import { applyToModel, type OperatorContent } from "../model/operator-model.js";
import { expectCode, expectEqual, settled, expectThat } from "../oracles/expectations.js";
import {
  call,
  callKeyed,
  callState,
  handleOf,
  isPromise,
  type LooseTask,
  ownerIndex,
  startCall,
} from "./call-state.js";
import { type Command, command, operationChoices } from "./command.js";
import { MAX_PARALLELISM } from "./declare.js";
import { tamper } from "./tamper.js";
import type { World } from "./world.js";

/**
 * Runs the operation that `choice` stands for on both sides, and compares what they give. Nobody waits where no call does: of millions
 * of calls most give what they give at once.
 */
export function runOperation(choice: OperationChoice, model: JobModel, real: World): Promise<void> | undefined {
  const operation = resolveOperation(choice, model.callable);
  if (operation === undefined) return undefined;
  real.coverage.count(coverageName(operation));
  if (model.health === "poisoned") {
    return expectCode(() => callState(real.running, operation), ["POISONED"], "A call of a poisoned task");
  }
  return runInTurn(withReads(operation), model, real);
}

/** The operation, and what is read before and behind it. */
function withReads(operation: Operation): readonly Operation[] {
  const { spec, verb } = operation;
  const read = readOf(operation);
  // What a write has touched is read back, the whole of it.
  if (spec.kind !== "map" && verb !== "update") return [operation, read];
  const behind = spec.kind === "map" ? [{ ...read, verb: "isEmpty" as const }, read] : [read];
  // What such a call does depends on whether it meets what has expired: it is met before.
  const isReadBefore = isLenient(spec) && (verb === "update" || verb === "drain");
  return isReadBefore ? [read, operation, ...behind] : [operation, ...behind];
}

function readOf(operation: Operation): Operation {
  const verb = operation.spec.kind === "map" || operation.spec.kind === "broadcast" ? "entries" : "get";
  return { ...operation, verb, isSync: true, tampers: false };
}

function runInTurn(operations: readonly Operation[], model: JobModel, real: World): Promise<void> | undefined {
  for (const [index, operation] of operations.entries()) {
    const given = startCall(real.running, operation);
    if (isPromise(given)) return finishInTurn(given, operations.slice(index), { model, real });
    judge(given, operation, model);
  }
  return undefined;
}

/** As `runInTurn`, once the first of `operations` is under way. */
async function finishInTurn(given: unknown, [first, ...others]: readonly Operation[], both: Both): Promise<void> {
  judge(await given, first as Operation, both.model);
  await runInTurn(others, both.model, both.real);
}

interface Both {
  readonly model: JobModel;
  readonly real: World;
}

function judge(actual: unknown, operation: Operation, model: JobModel): void {
  const content = model.contents[operation.operator] as OperatorContent;
  const isExpiredSeen = mayStillGive(content, operation, { actual, maxParallelism: MAX_PARALLELISM });
  const expected = applyToModel(content, operation, MAX_PARALLELISM);
  if (!isExpiredSeen) expectEqual(actual, expected, () => showOperation(operation));
  if (operation.tampers) tamper(actual);
}

export const stateCommands: fc.Arbitrary<Command> = operationChoices.map((choice): Command => {
  // What a choice stands for depends on what was declared when it ran.
  let declared: readonly (readonly StateSpec[])[] | undefined;
  return {
    check: () => true,
    async run(model, real) {
      declared = model.callable;
      await runOperation(choice, model, real);
    },
    toString: () => shownChoice(choice, declared),
  };
});

/** Up to `max` calls, one after the other: the first counts as the command that they are, and each other as one more. */
export function stateCommandsInTurn(max: number): fc.Arbitrary<Command> {
  return fc.array(stateCommands, { minLength: 1, maxLength: max, size: "max" }).map((calls) => ({
    check: () => true,
    async run(model, real) {
      real.coverage.commands += calls.length - 1;
      for (const each of calls) await each.run(model, real);
    },
    toString: () => calls.join(", "),
  }));
}

/** Several updates of one key that are under way at once: they take effect in the order of the calls. */
export const concurrentUpdates: fc.Arbitrary<Command> = fc
  .tuple(operationChoices, fc.integer({ min: 2, max: 4 }))
  .map(([choice, count]) =>
    command(`${count} updates at once: ${shownChoice(choice)}`, async (model, real) => {
      const declared = model.shape.declared.map((specs) => specs.filter(isUpdated));
      const found = resolveOperation(choice, declared);
      if (found === undefined || model.health === "poisoned") return;
      real.coverage.count("concurrent updates");
      const operations = Array.from({ length: count }, (_, index): Operation => {
        return { ...found, verb: "update", values: [(found.values[0] ?? 0) + 16 * index] };
      });
      await Promise.all(operations.map((operation) => callState(real.running, operation)));
      const content = model.contents[found.operator] as OperatorContent;
      for (const operation of operations) applyToModel(content, operation, MAX_PARALLELISM);
    }),
  );

/** Calls without a key, and calls that have nothing to do if they are given nothing. */
const KEYLESS: readonly string[] = ["keys", "deleteAll"];
const EMPTY: readonly string[] = ["addAll", "setAll"];

/** Whose updates do not depend on what has been cleaned up. */
function isUpdated(spec: StateSpec): boolean {
  return spec.kind === "value" && !isLenient(spec);
}

/** A key at a task that does not own it: refused, whatever is called. */
export const wrongTask: fc.Arbitrary<Command> = operationChoices.map((choice) =>
  command(`at the wrong task: ${shownChoice(choice)}`, async (model, real) => {
    const operation = resolveOperation(choice, keyedOnly(model));
    const tasks = real.running.operators[choice.operator % 2] ?? [];
    if (operation === undefined || tasks.length < 2 || KEYLESS.includes(operation.verb)) return;
    real.coverage.count("wrong task");
    const wrong = tasks[(ownerIndex(operation.key, tasks) + 1) % tasks.length] as LooseTask;
    const expected = model.health === "poisoned" ? "POISONED" : "KEY_NOT_OWNED";
    const result = await settled(callKeyed(wrong, operation));
    // A call that would change nothing may say so first.
    const isIdle = EMPTY.includes(operation.verb) && operation.values.length === 0;
    expectThat(
      isIdle || hasCode(result.error, expected),
      `${showOperation(operation)} at the wrong task was not refused`,
    );
  }),
);

const cycle: { self?: unknown } = {};
cycle.self = cycle;

/** Values that cannot be stored exactly, and keys that cannot be kept. */
export const REFUSED_VALUES: readonly (() => unknown)[] = [
  () => undefined,
  () => () => 1,
  () => Symbol("s"),
  () => new (class Point {})(),
  // A hole is not undefined.
  () => Array.from({ length: 2, 0: 1 }).concat(new Array(1)),
  () => "\ud800",
  () => ({ ["\udfff"]: 1 }),
  () => JSON.parse('{"__proto__": 1}') as unknown,
  () => cycle,
  () => ({ a: [{ b: () => 1 }] }),
  () => new WeakMap(),
  () => Promise.resolve(1),
  () => new Proxy({}, {}),
  () => Object.defineProperty({}, "x", { get: () => 1, enumerable: true }),
  () => new Error("e"),
  () => /r/,
];

const REFUSED_KEYS: readonly unknown[] = ["\ud800", undefined, null, {}, Symbol("k"), 1n, true];

/** Writes that are refused before anything changes. */
export const refusedWrites: fc.Arbitrary<Command> = fc
  .tuple(operationChoices, fc.nat(REFUSED_VALUES.length - 1), fc.option(fc.nat(REFUSED_KEYS.length - 1), { freq: 1 }))
  .map(([choice, value, key]) =>
    command(`refused value ${value}, key ${key}: ${shownChoice(choice)}`, async (model, real) => {
      const operation = resolveOperation(choice, keyedOnly(model));
      if (operation === undefined || model.health === "poisoned") return;
      const tasks = real.running.operators[operation.operator] ?? [];
      const handle = handleOf(tasks[ownerIndex(operation.key, tasks)] as LooseTask, operation);
      const { kind } = operation.spec;
      const folds = kind === "reducing" || kind === "aggregating";
      if (folds && key === null) return;
      real.coverage.count(key === null ? "refused value" : "refused key");
      const givenKey = key === null ? operation.key : REFUSED_KEYS[key];
      const refused = key === null ? (REFUSED_VALUES[value] as () => unknown)() : 1;
      const method = folds ? "addSync" : kind === "list" ? "addAll" : "set";
      const given = kind === "list" ? [[1, refused]] : kind === "map" ? [operation.field, refused] : [refused];
      await expectCode(() => call(handle, method, givenKey, ...given), ["VALUE_INVALID"], `Refusal ${value}`);
    }),
  );

function keyedOnly(model: JobModel) {
  return model.callable.map((specs) => specs.filter(({ kind }) => !isOperatorKind(kind)));
}

type NamesByVerb = Map<Verb, string>;
const coverageNames = new WeakMap<StateSpec, { readonly plain: NamesByVerb; readonly sync: NamesByVerb }>();

/** The very same text for the same thing: its hash is known then, and a new text for each of millions of calls is not made. */
function coverageName({ spec, verb, isSync }: Operation): string {
  const known = coverageNames.get(spec) ?? { plain: new Map<Verb, string>(), sync: new Map<Verb, string>() };
  const names = isSync ? known.sync : known.plain;
  const found = names.get(verb);
  if (found !== undefined) return found;
  const name = `state ${spec.isNamespaced ? "namespaced " : ""}${spec.kind} ${verb}${isSync ? " sync" : ""}`;
  names.set(verb, name);
  coverageNames.set(spec, known);
  return name;
}

/** As it reads where `declared` are the states of each operator. @defaultValue everything in both */
export function shownChoice(
  choice: OperationChoice,
  declared: readonly (readonly StateSpec[])[] = [CATALOG, CATALOG],
): string {
  const operation = resolveOperation(choice, declared);
  return operation === undefined ? "nothing" : showOperation(operation);
}
