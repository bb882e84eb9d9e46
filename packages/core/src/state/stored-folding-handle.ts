/** Reducing and aggregating state whose rest is in a store. */

import type { Codec } from "../contracts/codec.js";
import { after, promised } from "../stored/maybe-promise.js";
import type { Folding } from "./folding-handle.js";
import type { AggregatingState, PointAggregatingState } from "./handles.js";
import { handedOut, type Scope, storedKeysIn } from "./scope.js";
import type { StoredValueRows } from "./stored-value-rows.js";

export class StoredFoldingHandle<Key, Input, Accumulator, Result> implements AggregatingState<Key, Input, Result> {
  protected readonly rows: StoredValueRows;
  protected readonly scope: Scope;
  readonly #codec: Codec<Accumulator>;
  readonly #folding: Folding<Input, Accumulator, Result>;

  constructor(
    rows: StoredValueRows,
    scope: Scope,
    how: { readonly codec: Codec<Accumulator>; readonly folding: Folding<Input, Accumulator, Result> },
  ) {
    this.rows = rows;
    this.scope = scope;
    this.#codec = how.codec;
    this.#folding = how.folding;
  }

  get(key: Key): Promise<Result | undefined> {
    return promised(() => {
      this.scope.epoch.check();
      return after(this.rows.find(key, this.scope.namespace), (stored) => this.read(stored));
    });
  }

  /** Additions to one key run one after the other, in the order of the calls. */
  async add(key: Key, input: Input): Promise<void> {
    const { epoch, address, namespace, locks } = this.scope;
    epoch.check();
    await locks.run(address.identity(key, namespace), async () => {
      const accumulated = await this.rows.peek(key, namespace);
      epoch.check();
      this.fold(key, accumulated, input);
    });
  }

  delete(key: Key): void {
    this.scope.epoch.check();
    this.rows.remove(key, this.scope.namespace);
  }

  keys(): AsyncIterable<Key> {
    return storedKeysIn(this.scope, () => this.rows.identities());
  }

  protected fold(key: Key, accumulated: unknown, input: Input): void {
    const folded = this.#folding.fold(accumulated as Accumulator | undefined, input);
    this.rows.put(key, this.scope.namespace, this.#codec.own(folded));
  }

  protected read(stored: unknown): Result | undefined {
    if (stored === undefined) return undefined;
    return this.#folding.result(handedOut(this.#codec, stored as Accumulator));
  }
}

/** As `StoredFoldingHandle`, of a store that can be read without a promise. */
export class PointFoldingHandle<Key, Input, Accumulator, Result>
  extends StoredFoldingHandle<Key, Input, Accumulator, Result>
  implements PointAggregatingState<Key, Input, Result>
{
  getSync(key: Key): Result | undefined {
    this.scope.epoch.check();
    return this.read(this.rows.findSync(key, this.scope.namespace));
  }

  addSync(key: Key, input: Input): void {
    this.scope.epoch.check();
    this.fold(key, this.rows.peekSync(key, this.scope.namespace), input);
  }
}
