/** Reducing and aggregating state: what is added is folded into one value per key. */

import type { Codec } from "../contracts/codec.js";
import type { Aggregate, Reduce } from "./descriptors.js";
import type { SyncAggregatingState } from "./handles.js";
import type { ValueRows } from "./rows.js";
import { asynchronously, handedOut, keysIn, type Scope } from "./scope.js";

/** Reducing state is aggregating state whose accumulator is its result, and whose first input is the first accumulator. */
export interface Folding<Input, Accumulator, Result> {
  fold(accumulator: Accumulator | undefined, input: Input): Accumulator;
  result(accumulator: Accumulator): Result;
}

export function foldingByReduce<Value>(reduce: Reduce<Value>, codec: Codec<Value>): Folding<Value, Value, Value> {
  return {
    fold: (accumulated, added) => (accumulated === undefined ? added : reduce(accumulated, codec.own(added))),
    result: (accumulated) => accumulated,
  };
}

export function foldingByAggregate<Input, Accumulator, Result>(
  aggregate: Aggregate<Input, Accumulator, Result>,
): Folding<Input, Accumulator, Result> {
  return {
    fold: (accumulator, input) => aggregate.add(input, accumulator === undefined ? aggregate.create() : accumulator),
    result: (accumulator) => aggregate.result(accumulator),
  };
}

export class FoldingHandle<Key, Input, Accumulator, Result> implements SyncAggregatingState<Key, Input, Result> {
  readonly #table: ValueRows;
  readonly #scope: Scope;
  readonly #codec: Codec<Accumulator>;
  readonly #folding: Folding<Input, Accumulator, Result>;

  constructor(
    table: ValueRows,
    scope: Scope,
    how: { readonly codec: Codec<Accumulator>; readonly folding: Folding<Input, Accumulator, Result> },
  ) {
    this.#table = table;
    this.#scope = scope;
    this.#codec = how.codec;
    this.#folding = how.folding;
  }

  getSync(key: Key): Result | undefined {
    this.#scope.epoch.check();
    const accumulator = this.#table.get(key, this.#scope.namespace) as Accumulator | undefined;
    return accumulator === undefined ? undefined : this.#folding.result(handedOut(this.#codec, accumulator));
  }

  async get(key: Key): Promise<Result | undefined> {
    return this.getSync(key);
  }

  addSync(key: Key, input: Input): void {
    this.#scope.epoch.check();
    const { namespace } = this.#scope;
    const accumulator = this.#table.peek(key, namespace) as Accumulator | undefined;
    this.#table.put(key, namespace, this.#codec.own(this.#folding.fold(accumulator, input)));
  }

  async add(key: Key, input: Input): Promise<void> {
    this.addSync(key, input);
  }

  delete(key: Key): void {
    this.#scope.epoch.check();
    this.#table.remove(key, this.#scope.namespace);
  }

  keysSync(): Iterable<Key> {
    return keysIn(this.#scope, this.#table.identities());
  }

  keys(): AsyncIterable<Key> {
    return asynchronously(() => this.keysSync());
  }
}
