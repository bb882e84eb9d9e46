/**
 * A value that expires, as tables hold it and as segments have it.
 *
 * Invariants:
 * - Encoded: the expiry, a float64, then the value. Whoever merges entries reads the expiry without knowing the value's codec.
 * @see docs/formats.md#state
 */

import type { ByteReader } from "../bytes/byte-reader.js";
import type { ByteWriter } from "../bytes/byte-writer.js";
import type { Codec } from "../contracts/codec.js";
import { StateBackendError } from "../errors.js";

/** The expiry of what never expires. */
export const NEVER = Number.MAX_SAFE_INTEGER;

/** Both halves of an expiry are small integers, which V8 keeps in the object itself: a number as large as a time has a place of its own. */
const HALF = 2 ** 30;

/** Never changed: lists and frozen tables share it. */
export class Stamped {
  readonly value: unknown;
  readonly #expiryHigh: number;
  readonly #expiryLow: number;

  constructor(value: unknown, expiry: number) {
    this.value = value;
    this.#expiryHigh = Math.floor(expiry / HALF);
    this.#expiryLow = expiry - this.#expiryHigh * HALF;
  }

  /** The first moment at which the value is expired. */
  get expiry(): number {
    return this.#expiryHigh * HALF + this.#expiryLow;
  }

  isExpiredAt(now: number): boolean {
    return isExpired(this.expiry, now);
  }
}

/** Whether what expires at `expiry` has expired at `now`. */
export function isExpired(expiry: number, now: number): boolean {
  return expiry <= now && expiry !== NEVER;
}

/** The encoding of values of `codec` with their expiry. */
export function stampedCodec(codec: Codec<unknown>): Codec<unknown> {
  return {
    id: codec.id,
    version: codec.version,
    own: (value) => value,
    write(content, out: ByteWriter) {
      const { value, expiry } = content as Stamped;
      out.float64(expiry);
      codec.write(value, out);
    },
    read(input: ByteReader) {
      const expiry = readExpiry(input);
      return new Stamped(codec.read(input), expiry);
    },
  };
}

/** @throws {StateBackendError} CHECKPOINT_CORRUPT if it is not an expiry */
export function readExpiry(input: ByteReader): number {
  const expiry = input.float64();
  if (Number.isSafeInteger(expiry)) return expiry;
  throw new StateBackendError(
    "CHECKPOINT_CORRUPT",
    `The expiry of a value is no time. received=${expiry} expected=a safe integer. Restore another retained checkpoint.`,
  );
}
