/** One task of a job as user code sees it: its states, and records to process. */

import type { StateManifest } from "../checkpoint/manifest.js";
import type { TaskChain } from "../checkpoint/task-chain.js";
import type { SyncReads } from "../contracts/backend.js";
import type { Clock } from "../contracts/clock.js";
import type { KeyCodec } from "../contracts/codec.js";
import type { OperatorIdentity, TaskRuntime } from "../coordinator/task-runtime.js";
import type { KeyGroups } from "../key/key-groups.js";
import { type Binding, type BoundState, bindState } from "../state/bind.js";
import type { HandleOf } from "../state/handle-types.js";
import { Epoch } from "../table/epoch.js";
import type { TaskTime } from "../table/task-time.js";
import { StoreSweep } from "../stored/store-sweep.js";
import type { TaskStore } from "../stored/task-store.js";
import { isTimerKind } from "../table/timer-kinds.js";
import type { AnyOperator, Operator, StateDescriptors, TimersDeclaration } from "../task/define-operator.js";
import { TaskTimers, type Timers } from "../task/timers.js";
import { TimerService } from "../task/timer-service.js";
import type { Telemetry } from "../telemetry/telemetry.js";
import { InFlight } from "../task/in-flight.js";
import type { Slicer } from "../segment/slicer.js";
import { type ProcessOptions, processRecords } from "../task/process.js";

/** The handles of all declared states, by name. */
export type StateHandles<Key, States extends StateDescriptors, Sync extends SyncReads> = {
  readonly [Name in keyof States]: HandleOf<States[Name], Key, Sync>;
};

/** What every task has besides its states. */
export interface TaskControl<Key> {
  /** The key groups that the task owns. */
  readonly keyGroups: KeyGroups;
  /**
   * Handles records: in order per key, up to 1,000 in flight across keys. A barrier waits for the handlers in flight.
   * Resolves when all are handled. If a handler or `admitted` throws, the task is poisoned and the error is thrown on: what was
   * admitted and not handled comes again after a restore.
   */
  process<Record>(
    records: Iterable<Record> | AsyncIterable<Record>,
    keyOf: (record: Record) => Key,
    handler: (record: Record, key: Key) => unknown,
    options?: ProcessOptions<Record>,
  ): Promise<void>;
  /** The highest watermark; `undefined` before the first. */
  readonly watermark: number | undefined;
  /**
   * Says that no record with a lower time is expected any more. Waits for the records in flight, lets no other in, moves the watermark
   * on, and fires the event timers that are due, those that their handlers register included. Resolves when all have been handled. Calls
   * run one after the other. A handler must not wait for it: it would wait for itself, until `timeoutMs`.
   * @throws {StateBackendError} VALUE_INVALID if it is not a safe integer, or goes back
   * @throws {StateBackendError} ABORTED if records in flight are not handled within the job's `timeoutMs`; nothing has changed then
   * @throws {TypeError} if a handler calls it before it has waited for anything, or timers are due and nobody handles them
   */
  advanceWatermark(time: number): Promise<void>;
}

/** The timers of a task, if its operator declares them. */
export type TimersOf<Declared extends TimersDeclaration | undefined, Key> = Declared extends {
  readonly namespace: KeyCodec<infer Namespace>;
}
  ? { readonly timers: Timers<Key, Namespace> }
  : Declared extends true
    ? { readonly timers: Timers<Key, undefined> }
    : object;

/** A task: its states by name, as `task.states.name` always, and as `task.name` where that is not the name of something else. */
export type Task<
  Key,
  States extends StateDescriptors,
  Sync extends SyncReads,
  Declared extends TimersDeclaration | undefined = undefined,
> = TaskControl<Key> & {
  readonly states: StateHandles<Key, States, Sync>;
} & TimersOf<Declared, Key> &
  Omit<StateHandles<Key, States, Sync>, keyof TaskControl<Key> | "states" | keyof TimersOf<Declared, Key>>;

/** The task type of an operator on a backend. */
export type TaskOf<Declared, Sync extends SyncReads> =
  Declared extends Operator<infer Key, infer States, infer Declaration> ? Task<Key, States, Sync, Declaration> : never;

/** A task and what its parts are to the rest of core. */
export interface BuiltTask {
  readonly runtime: TaskRuntime;
  readonly states: ReadonlyMap<string, BoundState>;
  readonly timers: TimerService;
}

export interface TaskBlueprint {
  readonly operator: AnyOperator;
  readonly identity: OperatorIdentity;
  readonly groups: KeyGroups;
  /** Number of the first checkpoint that the task will take part in. */
  readonly epoch: number;
  readonly time: TaskTime;
  readonly clock: Clock;
  readonly chain: TaskChain;
  /** Where the rest of keyed state is, if it is not in memory. */
  readonly store?: TaskStore | undefined;
}

/** Builds the tables of a task, empty. */
export function buildTask(blueprint: TaskBlueprint): BuiltTask {
  const { operator, identity, groups, epoch: number, time, clock, chain, store } = blueprint;
  const epoch = new Epoch(number);
  const states = bindStates(operator, identity.states, { groups, epoch, time, access: store?.access });
  const bound = [...states.values()];
  store?.use(
    bound.flatMap(({ stored }) => stored ?? []),
    new StoreSweep(
      bound.flatMap(({ storedSweep }) => storedSweep ?? []),
      groups,
    ),
  );
  const inFlight = new InFlight();
  const timers = new TimerService(operator, identity.states, { groups, epoch, time, clock, inFlight });
  const tables = [...[...states.values()].map(({ table }) => table), ...timers.tables];
  const usesTime = identity.states.some(({ ttl, kind }) => ttl !== undefined || isTimerKind(kind));
  const stop = (): void => timers.stop();
  const runtime = { operator: identity, groups, epoch, time, usesTime, tables, chain, store, inFlight, stop };
  return { runtime, states, timers };
}

/** The declared states of an operator, over empty tables. */
export function bindStates(
  operator: AnyOperator,
  manifests: readonly StateManifest[],
  scope: Pick<Binding, "groups" | "epoch" | "time" | "access">,
): ReadonlyMap<string, BoundState> {
  const ids = new Map(manifests.filter(({ kind }) => !isTimerKind(kind)).map(({ name, id }) => [name, id]));
  const key = operator.key as unknown as KeyCodec<unknown>;
  const bound = new Map<string, BoundState>();
  for (const [name, descriptor] of Object.entries(operator.states)) {
    const stateId = ids.get(name);
    if (stateId === undefined) continue;
    bound.set(name, bindState(descriptor, { ...scope, stateId, key, maxParallelism: operator.maxParallelism }));
  }
  return bound;
}

export interface TaskServices {
  readonly hasRoom: () => boolean;
  readonly ready: () => Promise<void>;
  /** Of what handles records. */
  readonly slicer: Slicer;
  readonly poison: (cause: unknown) => void;
  readonly telemetry: Telemetry;
  /** How long a call may wait for the records in flight. */
  readonly timeoutMs: number;
}

/** What user code is handed. Names of states come from outside, so they are defined, never assigned. */
export function taskHandle(
  { runtime, states, timers }: BuiltTask,
  operator: AnyOperator,
  services: TaskServices,
): TaskControl<unknown> & { readonly states: object } {
  const key = operator.key as unknown as KeyCodec<unknown>;
  const handles = Object.create(null) as object;
  timers.onFailure(services.poison);
  const advance = (watermark: number): Promise<void> =>
    watermark === timers.watermark ? Promise.resolve() : timers.advanceWatermark(watermark);
  for (const [name, { handle }] of states) {
    define(handles, name, services.telemetry.handle(operator.name, name, handle));
  }
  const control: TaskControl<unknown> & { readonly states: object } = {
    keyGroups: runtime.groups,
    states: Object.freeze(handles),
    async process(records, keyOf, handler, options = {}) {
      runtime.epoch.check();
      const { inFlight } = runtime;
      const identityOf = (id: unknown): unknown => key.identity(id);
      try {
        const guarded: typeof handler = (record, id) => timers.inHandler(() => handler(record, id));
        const check = (): void => runtime.epoch.check();
        const { hasRoom, ready, slicer, poison: failed } = services;
        const scope = { inFlight, check, hasRoom, ready, slicer, keyOf, identityOf, advance, handler: guarded, failed };
        await processRecords(records, scope, options);
      } catch (error) {
        services.poison(error);
        throw error;
      }
    },
    get watermark() {
      return timers.watermark;
    },
    advanceWatermark: (watermark) => timers.advanceWatermark(watermark, services.timeoutMs),
  };
  if (operator.timers !== undefined) define(control, "timers", new TaskTimers(timers));
  return control;
}

/** `control` with each state as a property of its own, where the name is free. */
export function withStates(control: object, states: object): object {
  for (const [name, handle] of Object.entries(states)) if (!(name in control)) define(control, name, handle);
  return Object.freeze(control);
}

/** Adds to `target`, as a read-only property, whatever the name. */
function define(target: object, name: string, content: unknown): void {
  Object.defineProperty(target, name, { value: content, enumerable: true, writable: false, configurable: false });
}
