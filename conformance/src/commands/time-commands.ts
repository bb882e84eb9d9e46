/** Commands that let time pass, set the clock back, move watermarks, and register timers. */

import { systemClock } from "@tidemark/core";
import fc from "fast-check";
import { KEY_DOMAINS, NAMESPACES, pick } from "../model/domains.js";
import type { JobModel } from "../model/job-model.js";
import { keyGroup, type ModelKey } from "../model/key-order.js";
import { type OperatorContent, taskOf } from "../model/operator-model.js";
import {
  deleteTimer,
  fireTimers,
  handleTimer,
  hasTimer,
  type ModelTimer,
  registerTimer,
  showTimer,
  type TimerKind,
} from "../model/timer-model.js";
import type { TaskTimes } from "../model/times.js";
import { expectCode, expectEqual } from "../oracles/expectations.js";
import { call, type LooseTask, ownerIndex } from "./call-state.js";
import { type Command, command } from "./command.js";
import { MAX_PARALLELISM } from "./declare.js";
import { modelStates } from "./timer-handling.js";
import type { World } from "./world.js";

/** About the times to live of the catalog. */
const STEPS: readonly number[] = [0, 1, 4, 9, 10, 11, 19, 20, 21, 60];

const KINDS: readonly TimerKind[] = ["event", "processing"];

/** The clock goes on: processing timers fire, in every task. */
export async function advanceClock(ms: number, model: JobModel, real: World): Promise<void> {
  const before = firedCounts(real);
  real.clock.advance(ms);
  await atRest();
  model.look(real.clock.now());
  if (model.health === "poisoned") return;
  for (const [operator, content] of model.contents.entries()) {
    for (const [task, { processing }] of content.times.entries()) {
      const expected = fireInModel(model, { operator, task, kind: "processing", limit: processing });
      expectFired(expected, real.fired[operator]?.[task]?.slice(before[operator]?.[task]) ?? [], operator);
    }
  }
}

/** The clock is set back, when every task has seen how late it was. */
export function setClockBack(ms: number, model: JobModel, real: World): void {
  if (model.health === "poisoned") return;
  everyTaskLooks(real);
  real.clock.setBack(ms);
  model.look(real.clock.now());
}

/** Moves the watermark of one task to `watermark`: event timers fire. One that goes back is refused. */
export async function advanceWatermark(
  { operator, task, watermark }: { readonly operator: number; readonly task: number; readonly watermark: number },
  model: JobModel,
  real: World,
): Promise<void> {
  const tasks = real.running.operators[operator] ?? [];
  const index = task % tasks.length;
  const each = tasks[index] as LooseTask;
  const times = model.contents[operator]?.times[index] as TaskTimes;
  if (model.health === "poisoned") {
    await expectCode(() => each.advanceWatermark(watermark), ["POISONED"], "A watermark of a poisoned task");
    return;
  }
  if (times.watermark !== null && watermark < times.watermark) {
    await expectCode(() => each.advanceWatermark(watermark), ["VALUE_INVALID"], "A watermark that goes back");
    expectEqual(each.watermark(), times.watermark, "The watermark after one that was refused");
    return;
  }
  const before = firedCounts(real);
  await each.advanceWatermark(watermark);
  times.watermark = watermark;
  const expected = fireInModel(model, { operator, task: index, kind: "event", limit: watermark });
  expectFired(expected, real.fired[operator]?.[index]?.slice(before[operator]?.[index]) ?? [], operator);
  expectEqual(each.watermark(), watermark, "The watermark");
}

export const clockMoves: fc.Arbitrary<Command> = fc.tuple(fc.constantFrom(...STEPS), fc.nat(3)).map(([ms, how]) =>
  command(how === 0 ? `set the clock back by ${ms} ms` : `${ms} ms pass`, async (model, real) => {
    real.coverage.count(how === 0 ? "clock set back" : "time passes");
    if (how > 0) await advanceClock(ms, model, real);
    else setClockBack(ms, model, real);
  }),
);

/** Mostly on from where the watermark is; sometimes back. */
export const watermarks: fc.Arbitrary<Command> = fc
  .tuple(fc.nat(1), fc.nat(5), fc.constantFrom(...STEPS), fc.nat(7))
  .map(([operator, task, step, how]) =>
    command(`watermark of #${operator}.${task} by ${how === 0 ? -step : step}`, async (model, real) => {
      const times = model.contents[operator]?.times ?? [];
      const current = times[task % times.length]?.watermark ?? 0;
      const watermark = current + (how === 0 ? -step : step);
      real.coverage.count(watermark < current ? "watermark back" : "watermark");
      await advanceWatermark({ operator, task, watermark }, model, real);
    }),
  );

interface TimerCall {
  readonly operator: number;
  readonly kind: TimerKind;
  readonly key: number;
  readonly namespace: number;
  /** From the time that it is. */
  readonly after: number;
  readonly verb: "register" | "delete" | "has";
}

const timerChoices: fc.Arbitrary<TimerCall> = fc.record({
  operator: fc.nat(1),
  kind: fc.constantFrom(...KINDS),
  key: fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(99) }),
  namespace: fc.oneof({ weight: 3, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.nat(3) }),
  after: fc.constantFrom(...STEPS, -5, 2, 3, 2, 3, 1e12),
  verb: fc.constantFrom("register", "register", "register", "delete", "has"),
});

/** Several calls at once: timers are few among so many keys and times. */
export const timerCalls: fc.Arbitrary<Command> = fc.array(timerChoices, { minLength: 1, maxLength: 6 }).map((calls) =>
  command(`timers ${JSON.stringify(calls)}`, async (model, real) => {
    for (const each of calls) await callTimer(each, model, real);
  }),
);

async function callTimer(choice: TimerCall, model: JobModel, real: World): Promise<void> {
  const { operator, kind, verb } = choice;
  const content = model.contents[operator] as OperatorContent;
  const key = pick<ModelKey>(KEY_DOMAINS[operator] ?? [], choice.key);
  const { processing, watermark } = content.times[taskOf(key, content, MAX_PARALLELISM)] as TaskTimes;
  const time = (kind === "event" ? (watermark ?? 0) : processing) + choice.after;
  const timer: ModelTimer = { kind, time, key, namespace: pick(NAMESPACES, choice.namespace) };
  const tasks = real.running.operators[operator] ?? [];
  const handle = (tasks[ownerIndex(key, tasks)] as LooseTask).timers[kind];
  const run = (): unknown => call(handle, verb, key, time, timer.namespace);
  if (model.health === "poisoned") {
    await expectCode(run, ["POISONED"], "A timer of a poisoned task");
    return;
  }
  real.coverage.count(`${kind} timer ${verb}`);
  const found = run();
  if (verb === "has") expectEqual(found, hasTimer(content.timers, timer), `has ${showTimer(timer)}`);
  if (verb === "register") registerTimer(content.timers, timer);
  if (verb === "delete") deleteTimer(content.timers, timer);
}

interface Firing {
  readonly operator: number;
  readonly task: number;
  readonly kind: TimerKind;
  readonly limit: number;
}

function fireInModel(model: JobModel, { operator, task, kind, limit }: Firing): ModelTimer[] {
  const content = model.contents[operator] as OperatorContent;
  const isOwn = (key: ModelKey): boolean => taskOf(key, content, MAX_PARALLELISM) === task;
  const specs = model.shape.declared[operator] ?? [];
  const states = modelStates(content, { operator, specs });
  return fireTimers(content.timers, { kind, limit, isOwn }, (timer) => handleTimer(timer, states));
}

function expectFired(expected: readonly ModelTimer[], found: readonly string[], operator: number): void {
  expectEqual(found, expected.map(showTimer), `Timers that fired in operator ${operator}`);
}

function firedCounts(real: World): readonly (readonly number[])[] {
  return real.fired.map((tasks) => tasks.map(({ length }) => length));
}

/** Every task looks at the clock: its first timer is another one for a moment. */
function everyTaskLooks(real: World): void {
  for (const [operator, tasks] of real.running.operators.entries()) {
    for (const { keyGroups, timers } of tasks) {
      const key = KEY_DOMAINS[operator]?.find((each) => keyGroups.has(keyGroup(each, MAX_PARALLELISM)));
      // A task without any of the keys has nothing that depends on the time.
      if (key === undefined) continue;
      for (const verb of ["register", "delete"]) call(timers.processing, verb, key, Number.MIN_SAFE_INTEGER, "");
    }
  }
}

/** Until nothing happens any more without the clock. */
function atRest(): Promise<void> {
  return systemClock.yield();
}
