/**
 * How long the values of a state live: what is declared, and the judgement of single values by it.
 *
 * Invariants:
 * - A value is expired from exactly its stamp plus `ms` on. Time never goes back (`TaskTime`), so what is expired stays so.
 * - By event time, what is stamped before the first watermark never expires: there is no time yet to count from.
 */

import { NEVER, Stamped } from "../table/stamped.js";
import type { Standstill, TaskTime } from "../table/task-time.js";

/** How long values live, as declared. */
export interface TtlOptions {
  /** Milliseconds from the stamp to the expiry; a safe integer from 1. */
  readonly ms: number;
  /**
   * Whether time is that of the job's clock, or the watermark.
   * @defaultValue "processing"
   */
  readonly time?: "processing" | "event";
  /**
   * What stamps a value anew: writes, or reads as well. A read that does is a write.
   * @defaultValue "on-create-and-write"
   */
  readonly update?: "on-create-and-write" | "on-read-and-write";
  /**
   * Whether the first read of an expired value may still give it, if it has not been removed yet.
   * @defaultValue "never-return-expired"
   */
  readonly visibility?: "never-return-expired" | "return-expired-if-not-cleaned-up";
}

/** What keyed states may be given besides. */
export interface TtlOption {
  /**
   * How long values live. List elements and map fields each live by themselves.
   * @defaultValue for ever
   */
  readonly ttl?: TtlOptions;
}

/** Declared and checked. */
export type TtlSettings = Required<TtlOptions>;

const DEFAULTS = Object.freeze({
  time: "processing",
  update: "on-create-and-write",
  visibility: "never-return-expired",
} as const);

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  time: ["processing", "event"],
  update: ["on-create-and-write", "on-read-and-write"],
  visibility: ["never-return-expired", "return-expired-if-not-cleaned-up"],
};

/**
 * @throws {RangeError} if `ms` is no safe integer from 1
 * @throws {TypeError} for an option or a choice that there is not
 */
export function checkedTtl(options: TtlOptions): TtlSettings {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`A ttl is an object of options. received=${String(options)} expected={ ms }.`);
  }
  const settings: Record<string, unknown> & TtlSettings = { ...DEFAULTS, ...defined(options) };
  for (const [name, value] of Object.entries(settings)) {
    if (name === "ms") continue;
    const choices = Object.hasOwn(CHOICES, name) ? CHOICES[name] : undefined;
    if (choices === undefined) {
      throw new TypeError(`Unknown option of a ttl. received=${name} expected=ms,time,update,visibility.`);
    }
    if (choices.includes(String(value))) continue;
    throw new TypeError(`A ttl cannot be so. ${name}=${String(value)} expected=${choices.join("|")}.`);
  }
  if (!Number.isSafeInteger(settings.ms) || settings.ms < 1) {
    throw new RangeError(
      `A time to live cannot be so. ms=${String(settings.ms)} expected=a safe integer from 1. Leave ttl out for values that live for ever.`,
    );
  }
  return Object.freeze(settings);
}

/** The declared ttl as a part of a descriptor. */
export function ttlPart({ ttl }: TtlOption): { readonly ttl?: TtlSettings } {
  return ttl === undefined ? {} : { ttl: checkedTtl(ttl) };
}

function defined(options: TtlOptions): TtlOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as TtlOptions;
}

/** Judges and stamps the values of one state of a task. */
export class Ttl {
  readonly renewsOnRead: boolean;
  readonly returnsExpired: boolean;
  readonly #ms: number;
  readonly #isEventTime: boolean;
  readonly #time: TaskTime;

  constructor({ ms, time: kind, update, visibility }: TtlSettings, time: TaskTime) {
    this.#ms = ms;
    this.#isEventTime = kind === "event";
    this.#time = time;
    this.renewsOnRead = update === "on-read-and-write";
    this.returnsExpired = visibility === "return-expired-if-not-cleaned-up";
  }

  /** What time it is for the state, or would be by another watermark; -Infinity before the first watermark. */
  now(watermark = this.#time.watermark): number {
    return this.#isEventTime ? (watermark ?? Number.NEGATIVE_INFINITY) : this.#time.processingInTurn();
  }

  /** Ended by the time itself. */
  standstill(): Standstill {
    return this.#time.standstill();
  }

  /** For some calls after `now` it is that time. */
  standStill(standstill: Standstill): void {
    this.#time.standStill(standstill, this.#isEventTime);
  }

  /** `value` as it is stored if it is written at `now`. */
  stamp(value: unknown, now: number): Stamped {
    return new Stamped(value, expiryOf(now, this.#ms));
  }

  /** When that expires which is stamped at `now`. */
  expiryAt(now: number): number {
    return expiryOf(now, this.#ms);
  }

  isLive(content: unknown, now: number): boolean {
    return !(content as Stamped).isExpiredAt(now);
  }

  /** Whether a read at `now` that finds `content` has to write it again. */
  isRenewable(content: Stamped, now: number): boolean {
    return this.renewsOnRead && content.expiry !== expiryOf(now, this.#ms);
  }
}

/** When that expires which is stamped at `now`. */
export function expiryOf(now: number, ms: number): number {
  return now === Number.NEGATIVE_INFINITY ? NEVER : Math.min(now + ms, NEVER);
}
