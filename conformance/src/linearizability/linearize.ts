/**
 * The search of Wing and Gong, with the memory of Lowe: whether there is an order of the calls of a history that keeps the order of
 * calls that did not overlap, and in which each had its effect at once and was told the truth.
 *
 * A call without an answer may take effect at any moment after it was made, or never.
 */

import type { Operation } from "./history.js";

/** How a register behaves when its calls come one at a time. */
export interface Specification<State, Call> {
  readonly initial: State;
  /** The state after `call`, or `undefined` if its answer is wrong in `state`. */
  step(state: State, call: Call): State | undefined;
  /** Equal for states that nothing tells apart. */
  keyOf(state: State): string;
}

export type Verdict =
  | { readonly isLinearizable: true; readonly order: readonly number[] }
  /** Of the longest order that was found: which calls it could not take in any more. */
  | { readonly isLinearizable: false; readonly stuckAt: readonly number[] };

/** The histories of the laws need far fewer: each has some dozens of calls. */
const STEPS_MAX = 2_000_000;

/** @throws {RangeError} if the search is not done in a reasonable number of steps: then nothing is known */
export function linearize<State, Call>(
  operations: readonly Operation<Call>[],
  specification: Specification<State, Call>,
): Verdict {
  const search = new Search(operations, specification);
  const isLinearizable = search.from(specification.initial, 0n, -Infinity);
  return isLinearizable ? { isLinearizable, order: search.order } : { isLinearizable, stuckAt: search.stuckAt };
}

class Search<State, Call> {
  /** Numbers of the operations that have been placed, in that order. */
  readonly order: number[] = [];
  stuckAt: readonly number[] = [];
  readonly #operations: readonly Operation<Call>[];
  readonly #specification: Specification<State, Call>;
  readonly #seen = new Set<string>();
  #longest = -1;
  #steps = 0;

  constructor(operations: readonly Operation<Call>[], specification: Specification<State, Call>) {
    this.#operations = operations;
    this.#specification = specification;
  }

  /** Whether what is not in `placed` can be placed behind it; `latest` is when the last of `placed` was made. */
  from(state: State, placed: bigint, latest: number): boolean {
    const left = this.#left(placed);
    if (left.every((index) => this.#at(index).isOptional)) return true;
    const known = `${placed} ${this.#specification.keyOf(state)}`;
    if (this.#seen.has(known)) return false;
    this.#seen.add(known);
    if (++this.#steps > STEPS_MAX) throw new RangeError("The search for an order takes too long. Use fewer calls.");
    const next = this.#candidates(left, latest);
    if (this.order.length > this.#longest) {
      this.#longest = this.order.length;
      this.stuckAt = next;
    }
    for (const index of next) {
      const { call, invoked } = this.#at(index);
      const after = this.#specification.step(state, call);
      if (after === undefined) continue;
      this.order.push(index);
      if (this.from(after, placed | (1n << BigInt(index)), Math.max(latest, invoked))) return true;
      this.order.pop();
    }
    return false;
  }

  /** Those that may come next: made before any other that has to come was answered, and not answered before one that has come was made. */
  #candidates(left: readonly number[], latest: number): readonly number[] {
    const required = left.filter((index) => !this.#at(index).isOptional);
    const firstReturn = Math.min(...required.map((index) => this.#at(index).returned));
    return left.filter((index) => {
      const { invoked, returned } = this.#at(index);
      return invoked < firstReturn && returned > latest;
    });
  }

  #left(placed: bigint): number[] {
    const left: number[] = [];
    for (let index = 0; index < this.#operations.length; index++) {
      if ((placed & (1n << BigInt(index))) === 0n) left.push(index);
    }
    return left;
  }

  #at(index: number): Operation<Call> {
    return this.#operations[index] as Operation<Call>;
  }
}
