/** The loops that `rmw` times. Both sides of a comparison do the same, each in a function of its own, as small as it can be. */

import type { SyncValueState } from "@tidemark/core";

/** Which keys are touched, in which order. */
export interface Work {
  readonly keys: readonly string[];
  /** Places in `keys`. */
  readonly picks: Uint32Array;
}

export interface Totals {
  readonly count: number;
  readonly total: number;
}

export function addToMap(counters: Map<string, number>, { keys, picks }: Work, from: number, until: number): void {
  for (let at = from; at < until; at++) {
    const key = keys[picks[at] as number] as string;
    counters.set(key, (counters.get(key) as number) + 1);
  }
}

export function addToState(
  counter: SyncValueState<string, number, number>,
  { keys, picks }: Work,
  from: number,
  until: number,
): void {
  for (let at = from; at < until; at++) {
    const key = keys[picks[at] as number] as string;
    counter.set(key, counter.getSync(key) + 1);
  }
}

/** What a state and a `Map` behind an async function have in common. */
export interface AsyncCounters {
  get(key: string): Promise<number>;
  set(key: string, count: number): void;
}

export async function addToStateAwaiting(
  counters: AsyncCounters,
  { keys, picks }: Work,
  from: number,
  until: number,
): Promise<void> {
  for (let at = from; at < until; at++) {
    const key = keys[picks[at] as number] as string;
    counters.set(key, (await counters.get(key)) + 1);
  }
}

export function asyncMap(counters: Map<string, number>): AsyncCounters {
  return {
    async get(key) {
      return counters.get(key) as number;
    },
    set(key, count) {
      counters.set(key, count);
    },
  };
}

export function addToObjectMap(totals: Map<string, Totals>, { keys, picks }: Work, from: number, until: number): void {
  for (let at = from; at < until; at++) {
    const key = keys[picks[at] as number] as string;
    const { count, total } = totals.get(key) as Totals;
    totals.set(key, { count: count + 1, total: total + at });
  }
}

export function addToObjects(
  totals: SyncValueState<string, Totals, Totals>,
  { keys, picks }: Work,
  from: number,
  until: number,
): void {
  for (let at = from; at < until; at++) {
    const key = keys[picks[at] as number] as string;
    const { count, total } = totals.getSync(key);
    totals.set(key, { count: count + 1, total: total + at });
  }
}
