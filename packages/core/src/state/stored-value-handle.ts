/** Value state whose rest is in a store. */

import type { Codec } from "../contracts/codec.js";
import { after, promised } from "../stored/maybe-promise.js";
import type { PointValueState, Updated, ValueState } from "./handles.js";
import { handedOut, type Scope, storedKeysIn } from "./scope.js";
import type { StoredValueRows } from "./stored-value-rows.js";

export class StoredValueHandle<Key, Value, Read> implements ValueState<Key, Value, Read> {
  protected readonly rows: StoredValueRows;
  protected readonly scope: Scope;
  readonly #codec: Codec<Value>;
  readonly #default: Read;

  constructor(
    rows: StoredValueRows,
    scope: Scope,
    descriptor: { readonly codec: Codec<Value>; readonly default: Read },
  ) {
    this.rows = rows;
    this.scope = scope;
    this.#codec = descriptor.codec;
    this.#default = descriptor.default;
  }

  get(key: Key): Promise<Read> {
    return promised(() => {
      this.scope.epoch.check();
      return after(this.rows.find(key, this.scope.namespace), (stored) => this.read(stored));
    });
  }

  set(key: Key, value: Value): void {
    this.scope.epoch.check();
    this.rows.put(key, this.scope.namespace, this.#codec.own(value));
  }

  delete(key: Key): void {
    this.scope.epoch.check();
    this.rows.remove(key, this.scope.namespace);
  }

  async update(key: Key, change: (current: Read) => Updated<Value>): Promise<void> {
    await this.scope.locks.run(this.scope.address.identity(key, this.scope.namespace), async () => {
      const next = await change(await this.get(key));
      if (next === undefined) this.delete(key);
      else this.set(key, next);
    });
  }

  keys(): AsyncIterable<Key> {
    return storedKeysIn(this.scope, () => this.rows.identities());
  }

  protected read(stored: unknown): Read {
    if (stored !== undefined) return handedOut(this.#codec, stored as Value) as unknown as Read;
    const read = this.#default;
    return (typeof read === "object" ? handedOut(this.#codec, read as unknown as Value) : read) as Read;
  }
}

/** As `StoredValueHandle`, of a store that can be read without a promise. */
export class PointValueHandle<Key, Value, Read>
  extends StoredValueHandle<Key, Value, Read>
  implements PointValueState<Key, Value, Read>
{
  getSync(key: Key): Read {
    this.scope.epoch.check();
    return this.read(this.rows.findSync(key, this.scope.namespace));
  }
}
