/** Map state and broadcast state over their table. */

import type { Codec } from "../contracts/codec.js";
import type { BroadcastState, SyncMapState } from "./handles.js";
import type { MapRows } from "./rows.js";
import { asynchronously, handedOut, keysIn, type Scope } from "./scope.js";

export class MapHandle<Key, Field, Value> implements SyncMapState<Key, Field, Value> {
  readonly #table: MapRows;
  readonly #scope: Scope;
  readonly #codec: Codec<Value>;

  constructor(table: MapRows, scope: Scope, codec: Codec<Value>) {
    this.#table = table;
    this.#scope = scope;
    this.#codec = codec;
  }

  getSync(key: Key, field: Field): Value | undefined {
    this.#scope.epoch.check();
    const stored = this.#table.get(key, this.#scope.namespace, field) as Value | undefined;
    return stored === undefined ? undefined : handedOut(this.#codec, stored);
  }

  async get(key: Key, field: Field): Promise<Value | undefined> {
    return this.getSync(key, field);
  }

  hasSync(key: Key, field: Field): boolean {
    return this.getSync(key, field) !== undefined;
  }

  async has(key: Key, field: Field): Promise<boolean> {
    return this.hasSync(key, field);
  }

  set(key: Key, field: Field, value: Value): void {
    this.#scope.epoch.check();
    this.#table.put(key, this.#scope.namespace, field, this.#codec.own(value));
  }

  setAll(key: Key, entries: Iterable<readonly [Field, Value]>): void {
    this.#scope.epoch.check();
    const owned = Array.from(entries, ([field, value]) => [field, this.#codec.own(value)] as const);
    this.#table.putAll(key, this.#scope.namespace, owned);
  }

  delete(key: Key, field: Field): void {
    this.#scope.epoch.check();
    this.#table.remove(key, this.#scope.namespace, field);
  }

  clear(key: Key): void {
    this.#scope.epoch.check();
    this.#table.clear(key, this.#scope.namespace);
  }

  isEmptySync(key: Key): boolean {
    this.#scope.epoch.check();
    return this.#table.isEmpty(key, this.#scope.namespace);
  }

  async isEmpty(key: Key): Promise<boolean> {
    return this.isEmptySync(key);
  }

  entriesSync(key: Key): readonly (readonly [Field, Value])[] {
    this.#scope.epoch.check();
    const stored = this.#table.entries(key, this.#scope.namespace) as (readonly [Field, Value])[];
    return stored.map(([field, value]) => [field, handedOut(this.#codec, value)] as const);
  }

  entries(key: Key): AsyncIterable<readonly [Field, Value]> {
    const entries = this.entriesSync(key);
    return asynchronously(() => entries);
  }

  fieldsSync(key: Key): readonly Field[] {
    return this.entriesSync(key).map(([field]) => field);
  }

  fields(key: Key): AsyncIterable<Field> {
    const fields = this.fieldsSync(key);
    return asynchronously(() => fields);
  }

  valuesSync(key: Key): readonly Value[] {
    return this.entriesSync(key).map(([, value]) => value);
  }

  values(key: Key): AsyncIterable<Value> {
    const values = this.valuesSync(key);
    return asynchronously(() => values);
  }

  keysSync(): Iterable<Key> {
    return keysIn(this.#scope, this.#table.identities());
  }

  keys(): AsyncIterable<Key> {
    return asynchronously(() => this.keysSync());
  }
}

/** The only key of a map that is the same in every task. */
export class BroadcastHandle<Field, Value> implements BroadcastState<Field, Value> {
  readonly #map: MapHandle<undefined, Field, Value>;

  constructor(map: MapHandle<undefined, Field, Value>) {
    this.#map = map;
  }

  get(field: Field): Value | undefined {
    return this.#map.getSync(undefined, field);
  }

  set(field: Field, value: Value): void {
    this.#map.set(undefined, field, value);
  }

  delete(field: Field): void {
    this.#map.delete(undefined, field);
  }

  clear(): void {
    this.#map.clear(undefined);
  }

  entries(): readonly (readonly [Field, Value])[] {
    return this.#map.entriesSync(undefined);
  }
}
