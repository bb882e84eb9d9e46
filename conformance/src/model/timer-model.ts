/**
 * Timers in plain collections, and what the kit's handler of timers does.
 *
 * Invariants:
 * - A timer is its kind, time, key and namespace. It falls to the task that owns its key.
 * - The handler is user code: the model and the job run the same one, over their own states.
 */

import { cellAddress, type ModelKey } from "./key-order.js";

export type TimerKind = "event" | "processing";

export interface ModelTimer {
  readonly kind: TimerKind;
  readonly time: number;
  readonly key: ModelKey;
  readonly namespace: string;
}

/** By what makes a timer one. */
export type ModelTimers = Map<string, ModelTimer>;

/** Which timers: of one kind, and of one task. */
export interface TimerScope {
  readonly kind: TimerKind;
  readonly isOwn: (key: ModelKey) => boolean;
}

export function registerTimer(timers: ModelTimers, timer: ModelTimer): void {
  timers.set(timerAddress(timer), timer);
}

export function deleteTimer(timers: ModelTimers, timer: ModelTimer): void {
  timers.delete(timerAddress(timer));
}

export function hasTimer(timers: ModelTimers, timer: ModelTimer): boolean {
  return timers.has(timerAddress(timer));
}

/** In the order in which they fire: by time, encoded key and encoded namespace. */
export function timersInOrder(timers: ModelTimers, { kind, isOwn }: TimerScope): ModelTimer[] {
  return [...timers.values()]
    .filter((timer) => timer.kind === kind && isOwn(timer.key))
    .map((timer) => ({ timer, cell: cellAddress(timer.key, timer.namespace) }))
    .sort((a, b) => a.timer.time - b.timer.time || (a.cell < b.cell ? -1 : 1))
    .map(({ timer }) => timer);
}

/** Fires what is due up to `limit`, also what the handler registers; gives it in order. */
export function fireTimers(
  timers: ModelTimers,
  scope: TimerScope & { readonly limit: number },
  handle: (timer: ModelTimer) => void,
): ModelTimer[] {
  const fired: ModelTimer[] = [];
  while (true) {
    const next = timersInOrder(timers, scope)[0];
    if (next === undefined || next.time > scope.limit) return fired;
    timers.delete(timerAddress(next));
    fired.push(next);
    handle(next);
  }
}

/** What the handler of the kit works on: the model's states, or a task's. */
export interface TimerStates {
  register(timer: ModelTimer): void;
  delete(timer: ModelTimer): void;
  /** Adds an element to the lists that log timers, as far as they are declared. */
  log(timer: ModelTimer): void;
}

/** Logs the timer, registers another one in a third of the cases, and takes one back in half of them. */
export function handleTimer(timer: ModelTimer, states: TimerStates): void {
  const { time } = timer;
  if (time % 3 === 0) states.register({ ...timer, time: time + 1 });
  if (time % 2 === 0) states.delete({ ...timer, time: time + 2 });
  states.log(timer);
}

export function showTimer({ kind, time, key, namespace }: ModelTimer): string {
  return `${kind} ${time} ${JSON.stringify(typeof key === "number" ? `#${key + 0}` : key)} ${JSON.stringify(namespace)}`;
}

function timerAddress({ kind, time, key, namespace }: ModelTimer): string {
  return `${kind} ${time} ${cellAddress(key, namespace)}`;
}
