/**
 * Fires the timers of a task: event timers when the watermark moves, processing timers when the clock says so.
 *
 * Invariants:
 * - One firing at a time. It begins when the records in flight have been handled, and no record enters until it has ended: a timer
 *   stands between records.
 * - A timer is removed and its handler begun in one synchronous step, and a barrier waits for handlers: a checkpoint has a timer, or
 *   all that its handler did.
 * - Timers begin by time, encoded key and encoded namespace. One whose key is busy holds up those behind it.
 * - At most one timer of the clock is set: for the first processing timer.
 */

import type { StateManifest } from "../checkpoint/manifest.js";
import type { Clock, Timer } from "../contracts/clock.js";
import type { KeyCodec } from "../contracts/codec.js";
import { type BinaryKey, EMPTY_KEY } from "../key/binary-key.js";
import { StateBackendError } from "../errors.js";
import type { KeyGroups } from "../key/key-groups.js";
import { Slicer } from "../segment/slicer.js";
import { Address } from "../table/address.js";
import type { Epoch } from "../table/epoch.js";
import type { TaskTime } from "../table/task-time.js";
import { NO_VALUE, stateKindOf, TIMER_KINDS, type TimerKind } from "../table/timer-kinds.js";
import { type TimerCell, TimerTable } from "../table/timer-table.js";
import type { AnyOperator } from "./define-operator.js";
import type { InFlight } from "./in-flight.js";
import { Firing } from "./firing.js";
import type { TimerEntry, TimerHandler } from "./timers.js";

/** The clock of the system takes no longer delay. */
const DELAY_MAX_MS = 2 ** 31 - 1;

export interface TimerScope {
  readonly groups: KeyGroups;
  readonly epoch: Epoch;
  readonly time: TaskTime;
  readonly clock: Clock;
  readonly inFlight: InFlight;
}

export class TimerService {
  readonly #scope: TimerScope;
  readonly #address: Address;
  readonly #tables = new Map<TimerKind, TimerTable>();
  #handler: TimerHandler<unknown, unknown> | undefined;
  #onFailure: (cause: unknown) => void = () => {};
  /** Ends when the last firing that was asked for has. */
  #tail: Promise<void> = Promise.resolve();
  /** How many handlers are in their synchronous part. */
  #handlerDepth = 0;
  #alarm: { readonly time: number; readonly timer: Timer } | undefined;
  #isFiringProcessing = false;
  #isStopped = false;

  constructor(operator: AnyOperator, states: readonly StateManifest[], scope: TimerScope) {
    this.#scope = scope;
    const { timers, maxParallelism } = operator;
    const key = operator.key as unknown as KeyCodec<unknown>;
    this.#address = new Address(key, timers === undefined || timers === true ? undefined : timers.namespace);
    if (timers === undefined) return;
    const { groups, epoch } = scope;
    for (const kind of TIMER_KINDS) {
      const stateId = states.find((state) => state.kind === stateKindOf(kind))?.id;
      if (stateId === undefined) continue;
      const options = { stateId, address: this.#address, codec: NO_VALUE, groups, maxParallelism, epoch };
      this.#tables.set(kind, new TimerTable(options));
    }
  }

  /** Empty if the operator declares no timers. */
  get tables(): readonly TimerTable[] {
    return [...this.#tables.values()];
  }

  get watermark(): number | undefined {
    return this.#scope.time.watermark;
  }

  /** Who is told the error of a handler. */
  onFailure(poison: (cause: unknown) => void): void {
    this.#onFailure = poison;
  }

  /** The timers of a kind, for a call. */
  tableOf(kind: TimerKind): TimerTable {
    this.#scope.epoch.check();
    return this.#tables.get(kind) as TimerTable;
  }

  encodedNamespace(namespace: unknown): BinaryKey {
    return this.#address.namespace === undefined ? EMPTY_KEY : this.#address.namespace.encode(namespace);
  }

  entryOf({ time, identity }: TimerCell): TimerEntry<unknown, unknown> {
    const { namespace } = this.#address;
    const encoded = this.#address.namespaceOf(identity);
    return { time, key: this.#address.keyOf(identity), namespace: namespace?.decode(encoded, 0).key };
  }

  /** A timer was registered or deleted. */
  changed(kind: TimerKind): void {
    if (kind === "processing") this.#setAlarm();
  }

  onFire(handler: TimerHandler<unknown, unknown>): void {
    this.#scope.epoch.check();
    if (typeof handler !== "function") throw new TypeError("Timers need a function that handles them.");
    if (this.#handler !== undefined) throw new TypeError("Timers have a handler already. Set it once.");
    this.#handler = handler;
    this.#setAlarm();
  }

  /** Calls the synchronous part of a handler. */
  inHandler(call: () => unknown): unknown {
    this.#handlerDepth++;
    try {
      return call();
    } finally {
      this.#handlerDepth--;
    }
  }

  /**
   * `waitMsMax` is how long it waits for the records in flight; without it, as long as it takes.
   * @throws {StateBackendError} ABORTED if that is not enough: nothing has changed
   */
  async advanceWatermark(watermark: number, waitMsMax?: number): Promise<void> {
    const { epoch, time } = this.#scope;
    epoch.check();
    if (this.#handlerDepth > 0) {
      throw new TypeError("A handler cannot advance the watermark: it would wait for itself. Do it between records.");
    }
    await this.#inTurn(async () => {
      this.checkHandled(watermark);
      time.advance(watermark);
      await this.#fire("event", () => watermark);
    }, waitMsMax);
  }

  /** Sets no alarm any more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelAlarm();
  }

  /** @throws {TypeError} if event timers are due at `watermark` and nobody handles them */
  checkHandled(watermark: number): void {
    const first = this.#tables.get("event")?.firstTime;
    if (this.#handler !== undefined || first === undefined || first > watermark) return;
    throw new TypeError(`Timers are due and nobody handles them. time=${first}. Call timers.onFire before.`);
  }

  /** Runs `work` when no other firing runs and no record is in flight. */
  #inTurn(work: () => Promise<void>, waitMsMax?: number): Promise<void> {
    const { inFlight, epoch, clock } = this.#scope;
    const turn = this.#tail.then(async () => {
      epoch.check();
      const draining = inFlight.pause();
      try {
        if (draining !== undefined) await (waitMsMax === undefined ? draining : inTime(draining, clock, waitMsMax));
        while (inFlight.isAtBarrier) await inFlight.whenOpen();
        epoch.check();
        await work();
      } finally {
        inFlight.resume();
      }
    });
    this.#tail = turn.catch(() => {});
    return turn;
  }

  /** Fires what is due up to the time that `limit` gives. */
  async #fire(kind: TimerKind, limit: () => number): Promise<void> {
    const table = this.#tables.get(kind);
    const handler = this.#handler;
    if (table === undefined || handler === undefined) return;
    const { inFlight, epoch, clock } = this.#scope;
    const firing = new Firing({
      table,
      inFlight,
      epoch,
      limit,
      slicer: new Slicer(clock),
      keyOf: (cell) => this.#address.key.identity(this.#address.keyOf(cell.identity)),
      failed: (error) => this.#onFailure(error),
      handle: (cell) => this.inHandler(() => handler({ kind, ...this.entryOf(cell) })),
    });
    try {
      await firing.run();
    } catch (error) {
      this.#onFailure(error);
      throw error;
    }
  }

  /** Sets the timer of the clock for the first processing timer, or none. */
  #setAlarm(): void {
    if (this.#isStopped || this.#handler === undefined || this.#isFiringProcessing) return;
    const first = this.#tables.get("processing")?.firstTime;
    if (first !== undefined && first === this.#alarm?.time) return;
    this.#cancelAlarm();
    if (first === undefined) return;
    const { clock, time } = this.#scope;
    // The clock may have been set back: what counts is the highest time seen.
    const delay = first <= time.processing() ? 0 : Math.min(first - clock.now(), DELAY_MAX_MS);
    this.#alarm = { time: first, timer: clock.schedule(delay, () => this.#ring()) };
  }

  #cancelAlarm(): void {
    this.#alarm?.timer.cancel();
    this.#alarm = undefined;
  }

  #ring(): void {
    const { time } = this.#scope;
    this.#alarm = undefined;
    this.#isFiringProcessing = true;
    // The error of a handler has poisoned the task by then, and a task that is closed has nothing to fire.
    void this.#inTurn(() => this.#fire("processing", () => time.processing()))
      .catch(() => {})
      .then(() => {
        this.#isFiringProcessing = false;
        this.#setAlarm();
      });
  }
}

/** A handler that waits for the watermark waits for itself. Nothing tells its wait from that of others, so that time has to. */
async function inTime(draining: Promise<void>, clock: Clock, waitMsMax: number): Promise<void> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = clock.schedule(waitMsMax, () => {
      reject(
        new StateBackendError(
          "ABORTED",
          `The watermark was not advanced: records in flight were not handled in time. waitMs=${waitMsMax}. A handler must not wait for advanceWatermark, as it would wait for itself. Call it between records, or again if handlers are slow.`,
        ),
      );
    });
  });
  try {
    await Promise.race([draining, late]);
  } finally {
    timer?.cancel();
  }
}
