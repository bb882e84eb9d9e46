/** Value state over its table. */

import type { Codec } from "../contracts/codec.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { Epoch } from "../table/epoch.js";
import type { SyncValueState, Updated } from "./handles.js";
import type { ValueRows } from "./rows.js";
import { asynchronously, handedOut, keysIn, type Scope } from "./scope.js";

export class ValueHandle<Key, Value, Read> implements SyncValueState<Key, Value, Read> {
  readonly #table: ValueRows;
  readonly #scope: Scope;
  readonly #codec: Codec<Value>;
  readonly #default: Read;
  // Parts of the scope that every call needs.
  readonly #epoch: Epoch;
  readonly #namespace: BinaryKey;

  constructor(table: ValueRows, scope: Scope, descriptor: { readonly codec: Codec<Value>; readonly default: Read }) {
    this.#table = table;
    this.#scope = scope;
    this.#epoch = scope.epoch;
    this.#namespace = scope.namespace;
    this.#codec = descriptor.codec;
    this.#default = descriptor.default;
  }

  getSync(key: Key): Read {
    this.#epoch.check();
    const stored = this.#table.get(key, this.#namespace) as Value | undefined;
    const read = (stored === undefined ? this.#default : stored) as Value;
    return (typeof read === "object" ? handedOut(this.#codec, read) : read) as unknown as Read;
  }

  async get(key: Key): Promise<Read> {
    return this.getSync(key);
  }

  set(key: Key, value: Value): void {
    this.#epoch.check();
    this.#table.put(key, this.#namespace, this.#codec.own(value));
  }

  delete(key: Key): void {
    this.#scope.epoch.check();
    this.#table.remove(key, this.#scope.namespace);
  }

  async update(key: Key, change: (current: Read) => Updated<Value>): Promise<void> {
    await this.#scope.locks.run(this.#scope.address.identity(key, this.#scope.namespace), async () => {
      const next = await change(this.getSync(key));
      if (next === undefined) this.delete(key);
      else this.set(key, next);
    });
  }

  keysSync(): Iterable<Key> {
    return keysIn(this.#scope, this.#table.identities());
  }

  keys(): AsyncIterable<Key> {
    return asynchronously(() => this.keysSync());
  }
}
