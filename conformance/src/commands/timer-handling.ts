/** The kit's handler of timers over the states of a real task. */

import { EXPIRING_TIMER_LOG, type StateSpec, TIMER_LOG } from "../model/catalog.js";
import type { OperatorContent } from "../model/operator-model.js";
import { applyToModel } from "../model/operator-model.js";
import type { Operation } from "../model/operation.js";
import {
  deleteTimer,
  handleTimer,
  type ModelTimer,
  registerTimer,
  showTimer,
  type TimerStates,
} from "../model/timer-model.js";
import { call, callKeyed, type LooseTask, type RunningJob } from "./call-state.js";
import { MAX_PARALLELISM } from "./declare.js";

/** By operator and task. */
export type FiredTimers = readonly (readonly string[][])[];

/** Sets the handler of every task, and gives the lists that it notes in what fired. */
export function handleTimers(job: RunningJob, declared: readonly (readonly StateSpec[])[]): FiredTimers {
  return job.operators.map((tasks, operator) =>
    tasks.map((task) => {
      const fired: string[] = [];
      task.timers.onFire((timer) => {
        fired.push(showTimer(timer));
        const logged: Promise<unknown>[] = [];
        handleTimer(timer, realStates({ task, operator, specs: declared[operator] ?? [] }, logged));
        // Some handlers take longer than others.
        return logged.length === 0 ? undefined : Promise.all(logged);
      });
      return fired;
    }),
  );
}

interface Handling {
  readonly task: LooseTask;
  readonly operator: number;
  readonly specs: readonly StateSpec[];
}

function realStates({ task, operator, specs }: Handling, logged: Promise<unknown>[]): TimerStates {
  return {
    register: ({ kind, key, time, namespace }) => void call(task.timers[kind], "register", key, time, namespace),
    delete: ({ kind, key, time, namespace }) => void call(task.timers[kind], "delete", key, time, namespace),
    log: (timer) => logged.push(...logOperations(timer, { operator, specs }).map((each) => callKeyed(task, each))),
  };
}

/** The model's states, for the same handler. */
export function modelStates(
  content: OperatorContent,
  where: { readonly operator: number; readonly specs: readonly StateSpec[] },
): TimerStates {
  return {
    register: (timer) => registerTimer(content.timers, timer),
    delete: (timer) => deleteTimer(content.timers, timer),
    log(timer) {
      for (const operation of logOperations(timer, where)) applyToModel(content, operation, MAX_PARALLELISM);
    },
  };
}

function logOperations(
  { time, key, namespace }: ModelTimer,
  { operator, specs }: { readonly operator: number; readonly specs: readonly StateSpec[] },
): Operation[] {
  return specs
    .filter(({ name }) => name === TIMER_LOG || name === EXPIRING_TIMER_LOG)
    .map((spec) => ({
      operator,
      spec,
      verb: "add",
      key,
      namespace: spec.isNamespaced ? namespace : "",
      field: "",
      // Small values, told apart.
      values: [16 * (Math.abs(time) % 16)],
      isSync: true,
      tampers: false,
      task: 0,
    }));
}
