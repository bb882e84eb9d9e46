/**
 * What user code calls: one interface per kind of state.
 *
 * Rules of all kinds:
 * - The key is an argument. Reads give what was written before the call, also what is not in any checkpoint yet.
 * - Writes are synchronous and refuse a value that cannot be stored exactly before anything changes.
 * - Values are read-only: what state owns is frozen, and containers that cannot be frozen are handed out as copies.
 * - `undefined` means absent; `null` is a value.
 * - Enumeration is ordered by encoded key within a key group, and by key group; it shows every key that is present the whole
 *   time exactly once.
 * - Every call may throw CLOSED, POISONED or FENCED, KEY_NOT_OWNED and, for keys and values, VALUE_INVALID; reads of a store may fail
 *   with UNAVAILABLE.
 *
 * The `Sync…` forms exist on backends whose working state is in memory, the `Point…` forms on those that can look up a single row
 * without a promise.
 */

/** What `update` may give back: the new value, or `undefined` to delete the key. */
export type Updated<Value> = Value | undefined | Promise<Value | undefined>;

/** Keys of a state. */
export interface KeyEnumeration<Key> {
  /** The keys that are present. */
  keys(): AsyncIterable<Key>;
}

export interface SyncKeyEnumeration<Key> {
  keysSync(): Iterable<Key>;
}

/** One value per key. */
export interface ValueState<Key, Value, Read> extends KeyEnumeration<Key> {
  get(key: Key): Promise<Read>;
  set(key: Key, value: Value): void;
  delete(key: Key): void;
  /** Reads, calls `change`, writes what it gives. Updates of one key run one after the other, in the order of the calls. */
  update(key: Key, change: (current: Read) => Updated<Value>): Promise<void>;
}

export interface SyncValueState<Key, Value, Read> extends ValueState<Key, Value, Read>, SyncKeyEnumeration<Key> {
  getSync(key: Key): Read;
}

/** As `ValueState`, where a value can be looked up without a promise. */
export interface PointValueState<Key, Value, Read> extends ValueState<Key, Value, Read> {
  getSync(key: Key): Read;
}

/** A list per key. An absent list is an empty one. */
export interface ListState<Key, Element> extends KeyEnumeration<Key> {
  get(key: Key): Promise<readonly Element[]>;
  /** Appends without reading. */
  add(key: Key, element: Element): void;
  /** Appends all or, if one of them is refused, none. */
  addAll(key: Key, elements: Iterable<Element>): void;
  /** Replaces the whole list. An empty one makes the key absent. */
  set(key: Key, elements: Iterable<Element>): void;
  delete(key: Key): void;
}

export interface SyncListState<Key, Element> extends ListState<Key, Element>, SyncKeyEnumeration<Key> {
  getSync(key: Key): readonly Element[];
}

/** Fields and values per key. A key without fields is absent. */
export interface MapState<Key, Field, Value> extends KeyEnumeration<Key> {
  get(key: Key, field: Field): Promise<Value | undefined>;
  has(key: Key, field: Field): Promise<boolean>;
  set(key: Key, field: Field, value: Value): void;
  delete(key: Key, field: Field): void;
  /** Sets several fields or, if one of them is refused, none. The last of equal fields counts. */
  setAll(key: Key, entries: Iterable<readonly [Field, Value]>): void;
  /** Deletes all fields of a key. */
  clear(key: Key): void;
  isEmpty(key: Key): Promise<boolean>;
  /** Fields and values of a key, ascending by encoded field, as they were at the call. */
  entries(key: Key): AsyncIterable<readonly [Field, Value]>;
  /** The fields of `entries`. */
  fields(key: Key): AsyncIterable<Field>;
  /** The values of `entries`, in the order of their fields. */
  values(key: Key): AsyncIterable<Value>;
}

export interface SyncMapState<Key, Field, Value> extends MapState<Key, Field, Value>, SyncKeyEnumeration<Key> {
  getSync(key: Key, field: Field): Value | undefined;
  hasSync(key: Key, field: Field): boolean;
  isEmptySync(key: Key): boolean;
  entriesSync(key: Key): Iterable<readonly [Field, Value]>;
  fieldsSync(key: Key): Iterable<Field>;
  valuesSync(key: Key): Iterable<Value>;
}

/** As `MapState`, where a field can be looked up without a promise. */
export interface PointMapState<Key, Field, Value> extends MapState<Key, Field, Value> {
  getSync(key: Key, field: Field): Value | undefined;
  hasSync(key: Key, field: Field): boolean;
}

/** One value per key, combined from the values added. Absent until the first. */
export interface ReducingState<Key, Value> extends KeyEnumeration<Key> {
  get(key: Key): Promise<Value | undefined>;
  add(key: Key, value: Value): Promise<void>;
  delete(key: Key): void;
}

/** As `ReducingState`, where a value can be looked up without a promise. */
export interface PointReducingState<Key, Value> extends ReducingState<Key, Value> {
  getSync(key: Key): Value | undefined;
  addSync(key: Key, value: Value): void;
}

export interface SyncReducingState<Key, Value> extends ReducingState<Key, Value>, SyncKeyEnumeration<Key> {
  getSync(key: Key): Value | undefined;
  addSync(key: Key, value: Value): void;
}

/** One accumulator per key, read as a result. Absent until the first input. */
export interface AggregatingState<Key, Input, Result> extends KeyEnumeration<Key> {
  get(key: Key): Promise<Result | undefined>;
  add(key: Key, input: Input): Promise<void>;
  delete(key: Key): void;
}

/** As `AggregatingState`, where an accumulator can be looked up without a promise. */
export interface PointAggregatingState<Key, Input, Result> extends AggregatingState<Key, Input, Result> {
  getSync(key: Key): Result | undefined;
  addSync(key: Key, input: Input): void;
}

export interface SyncAggregatingState<Key, Input, Result>
  extends AggregatingState<Key, Input, Result>,
    SyncKeyEnumeration<Key> {
  getSync(key: Key): Result | undefined;
  addSync(key: Key, input: Input): void;
}

/** A list of the task. In memory on every backend. */
export interface OperatorListState<Element> {
  get(): readonly Element[];
  add(element: Element): void;
  set(elements: Iterable<Element>): void;
}

/** A map that is the same in every task. In memory on every backend. Whoever writes it must write the same in every task. */
export interface BroadcastState<Field, Value> {
  get(field: Field): Value | undefined;
  set(field: Field, value: Value): void;
  delete(field: Field): void;
  clear(): void;
  /** Ascending by encoded field, as at the call. */
  entries(): Iterable<readonly [Field, Value]>;
}

/** What list, reducing and aggregating state with namespaces can do besides: session windows that grow together. */
export interface NamespaceMerging<Key, Namespace> {
  /**
   * Moves everything that `key` has in `sources` into `target`: elements behind those of the target, accumulators combined from
   * left to right. The key is absent in the sources afterwards. A source that is the target, or is given again, counts once.
   * All or, if something is refused or a function throws, nothing.
   * @throws {TypeError} if an aggregate has no `merge`
   */
  mergeNamespaces(key: Key, target: Namespace, sources: Iterable<Namespace>): Promise<void>;
}

export interface SyncNamespaceMerging<Key, Namespace> extends NamespaceMerging<Key, Namespace> {
  mergeNamespacesSync(key: Key, target: Namespace, sources: Iterable<Namespace>): void;
}

/** A keyed state once per namespace. */
export interface NamespacedState<Namespace, Inner> {
  /** The state as it is in `namespace`. */
  in(namespace: Namespace): Inner;
}
