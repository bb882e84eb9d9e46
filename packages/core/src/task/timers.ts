/** What user code calls for timers. */

import { StateBackendError } from "../errors.js";
import type { TimerKind } from "../table/timer-kinds.js";
import type { TimerService } from "./timer-service.js";

/** A namespace as an argument: none for timers without namespaces. */
type InNamespace<Namespace> = [Namespace] extends [undefined] ? [] : [namespace: Namespace];

/** A timer that is registered. */
export interface TimerEntry<Key, Namespace> {
  /** Milliseconds since 1970, for event time whatever the records have. */
  readonly time: number;
  readonly key: Key;
  readonly namespace: Namespace;
}

/** A timer that is due: it is registered no more. */
export interface FiredTimer<Key, Namespace> extends TimerEntry<Key, Namespace> {
  readonly kind: TimerKind;
}

export type TimerHandler<Key, Namespace> = (timer: FiredTimer<Key, Namespace>) => unknown;

/**
 * The timers of one kind. A timer is its time, key and namespace: registering it again does nothing. All calls may throw KEY_NOT_OWNED,
 * and VALUE_INVALID if the time is not a safe integer.
 */
export interface TimersOfKind<Key, Namespace> {
  /** How many there are. */
  readonly size: number;
  register(key: Key, time: number, ...namespace: InNamespace<Namespace>): void;
  delete(key: Key, time: number, ...namespace: InNamespace<Namespace>): void;
  has(key: Key, time: number, ...namespace: InNamespace<Namespace>): boolean;
  /** All as at the call, in the order in which they would fire: by time, encoded key and encoded namespace. */
  entries(): readonly TimerEntry<Key, Namespace>[];
}

/** The timers of a task. */
export interface Timers<Key, Namespace> {
  /** They fire when the watermark reaches their time. */
  readonly event: TimersOfKind<Key, Namespace>;
  /** They fire when the clock of the job reaches their time. */
  readonly processing: TimersOfKind<Key, Namespace>;
  /**
   * Sets what handles timers, both kinds. Processing timers do not fire before. If it throws, the task is poisoned.
   * @throws {TypeError} if it is set already
   */
  onFire(handler: TimerHandler<Key, Namespace>): void;
}

export class TaskTimers implements Timers<unknown, unknown> {
  readonly event: TimersOfKind<unknown, unknown>;
  readonly processing: TimersOfKind<unknown, unknown>;
  readonly #service: TimerService;

  constructor(service: TimerService) {
    this.#service = service;
    this.event = new KindHandle(service, "event");
    this.processing = new KindHandle(service, "processing");
    Object.freeze(this);
  }

  onFire(handler: TimerHandler<unknown, unknown>): void {
    this.#service.onFire(handler);
  }
}

class KindHandle implements TimersOfKind<unknown, unknown> {
  readonly #service: TimerService;
  readonly #kind: TimerKind;

  constructor(service: TimerService, kind: TimerKind) {
    this.#service = service;
    this.#kind = kind;
    Object.freeze(this);
  }

  get size(): number {
    return this.#service.tableOf(this.#kind).liveRows;
  }

  register(key: unknown, time: number, namespace?: unknown): void {
    const table = this.#service.tableOf(this.#kind);
    if (table.register(timeOf(time), key, this.#service.encodedNamespace(namespace))) this.#service.changed(this.#kind);
  }

  delete(key: unknown, time: number, namespace?: unknown): void {
    const table = this.#service.tableOf(this.#kind);
    if (table.delete(timeOf(time), key, this.#service.encodedNamespace(namespace))) this.#service.changed(this.#kind);
  }

  has(key: unknown, time: number, namespace?: unknown): boolean {
    return this.#service.tableOf(this.#kind).has(timeOf(time), key, this.#service.encodedNamespace(namespace));
  }

  entries(): readonly TimerEntry<unknown, unknown>[] {
    const cells = this.#service.tableOf(this.#kind).cells();
    return cells.map((cell) => this.#service.entryOf(cell));
  }
}

function timeOf(time: number): number {
  // 0 for -0.
  if (Number.isSafeInteger(time)) return time + 0;
  throw new StateBackendError(
    "VALUE_INVALID",
    `A timer cannot have this time. received=${String(time)} expected=a safe integer. Pass milliseconds without fractions.`,
  );
}
