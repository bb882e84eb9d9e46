/** Map state whose rest is in a store. */

import type { Codec } from "../contracts/codec.js";
import { after, type MaybePromise } from "../stored/maybe-promise.js";
import type { MapState, PointMapState } from "./handles.js";
import { handedOut, type Scope, storedKeysIn } from "./scope.js";
import type { StoredMapRows } from "./stored-map-rows.js";

export class StoredMapHandle<Key, Field, Value> implements MapState<Key, Field, Value> {
  protected readonly rows: StoredMapRows;
  protected readonly scope: Scope;
  readonly #codec: Codec<Value>;

  constructor(rows: StoredMapRows, scope: Scope, codec: Codec<Value>) {
    this.rows = rows;
    this.scope = scope;
    this.#codec = codec;
  }

  async get(key: Key, field: Field): Promise<Value | undefined> {
    this.scope.epoch.check();
    return after(this.rows.find(key, this.scope.namespace, field), (stored) => this.read(stored));
  }

  async has(key: Key, field: Field): Promise<boolean> {
    return (await this.get(key, field)) !== undefined;
  }

  set(key: Key, field: Field, value: Value): void {
    this.setAll(key, [[field, value]]);
  }

  setAll(key: Key, entries: Iterable<readonly [Field, Value]>): void {
    this.scope.epoch.check();
    const owned = Array.from(entries, ([field, value]) => [field, this.#codec.own(value)] as const);
    this.rows.putAll(key, this.scope.namespace, owned);
  }

  delete(key: Key, field: Field): void {
    this.scope.epoch.check();
    this.rows.remove(key, this.scope.namespace, field);
  }

  clear(key: Key): void {
    this.scope.epoch.check();
    this.rows.clear(key, this.scope.namespace);
  }

  async isEmpty(key: Key): Promise<boolean> {
    this.scope.epoch.check();
    return this.rows.isEmpty(key, this.scope.namespace);
  }

  entries(key: Key): AsyncIterable<readonly [Field, Value]> {
    return this.#each(key, (entry) => entry);
  }

  fields(key: Key): AsyncIterable<Field> {
    return this.#each(key, ([field]) => field);
  }

  values(key: Key): AsyncIterable<Value> {
    return this.#each(key, ([, value]) => value);
  }

  keys(): AsyncIterable<Key> {
    return storedKeysIn(this.scope, () => this.rows.identities());
  }

  protected read(stored: unknown): Value | undefined {
    return stored === undefined ? undefined : handedOut(this.#codec, stored as Value);
  }

  /** Reads at the call, gives when asked. */
  #each<Given>(key: Key, give: (entry: readonly [Field, Value]) => Given): AsyncIterable<Given> {
    this.scope.epoch.check();
    const found = this.rows.entries(key, this.scope.namespace) as MaybePromise<readonly (readonly [Field, Value])[]>;
    // Whoever never iterates does not hear of a failure.
    if (found instanceof Promise) found.catch(() => undefined);
    const codec = this.#codec;
    return (async function* () {
      for (const [field, value] of await found) yield give([field, handedOut(codec, value)]);
    })();
  }
}

/** As `StoredMapHandle`, of a store that can be read without a promise. */
export class PointMapHandle<Key, Field, Value>
  extends StoredMapHandle<Key, Field, Value>
  implements PointMapState<Key, Field, Value>
{
  getSync(key: Key, field: Field): Value | undefined {
    this.scope.epoch.check();
    return this.read(this.rows.findSync(key, this.scope.namespace, field));
  }

  hasSync(key: Key, field: Field): boolean {
    return this.getSync(key, field) !== undefined;
  }
}
