/**
 * States declared as data: what `defineOperator` is given, and from which the types of the handles flow.
 */

import type { Codec, KeyCodec } from "../contracts/codec.js";
import { scalar, type ScalarKey } from "../key/scalar-key.js";
import { structured } from "../value/structured-codec.js";
import { type TtlOption, ttlPart, type TtlSettings } from "./ttl.js";

/** What keyed descriptors have in common. */
interface Expiring {
  /** There if values expire. */
  readonly ttl?: TtlSettings;
}

/** One value per key. `Read` is what reading gives: `Value` where a default is declared, else `Value | undefined`. */
export interface ValueDescriptor<Value, Read> extends Expiring {
  readonly kind: "value";
  readonly codec: Codec<Value>;
  /** What reading an absent key gives; never stored. */
  readonly default: Read;
}

/** A list of elements per key, appended to without reading. */
export interface ListDescriptor<Element> extends Expiring {
  readonly kind: "list";
  readonly codec: Codec<Element>;
}

/** Fields and values per key, each stored by itself. */
export interface MapDescriptor<Field, Value> extends Expiring {
  readonly kind: "map";
  readonly field: KeyCodec<Field>;
  readonly codec: Codec<Value>;
}

/** One value per key, combined from the values added. */
export interface ReducingDescriptor<Value> extends Expiring {
  readonly kind: "reducing";
  readonly codec: Codec<Value>;
  reduce(accumulated: Value, added: Value): Value;
}

/** One accumulator per key, made from the inputs added, read as a result. */
export interface AggregatingDescriptor<Input, Accumulator, Result> extends Expiring {
  readonly kind: "aggregating";
  readonly codec: Codec<Accumulator>;
  readonly aggregate: Aggregate<Input, Accumulator, Result>;
}

/** A list that belongs to the task, not to a key. */
export interface OperatorListDescriptor<Element> {
  readonly kind: "split-list" | "union-list";
  readonly codec: Codec<Element>;
}

/** A map that is the same in every task of the operator. */
export interface BroadcastDescriptor<Field, Value> {
  readonly kind: "broadcast";
  readonly field: KeyCodec<Field>;
  readonly codec: Codec<Value>;
}

/** A keyed state that exists once in each of any number of namespaces. */
export interface NamespacedDescriptor<Namespace, Inner extends PlainDescriptor> {
  readonly kind: "namespaced";
  readonly namespace: KeyCodec<Namespace>;
  readonly inner: Inner;
}

/** Combines two values; must be associative, and must not change its arguments. */
export type Reduce<Value> = (accumulated: Value, added: Value) => Value;

/** How inputs become an accumulator and an accumulator a result. No function may change its arguments. */
export interface Aggregate<Input, Accumulator, Result> {
  /** The accumulator of no input. */
  create(): Accumulator;
  add(input: Input, accumulator: Accumulator): Accumulator;
  result(accumulator: Accumulator): Result;
  /** The accumulator of all inputs of both, those of `left` first. Needed only where namespaces are merged. */
  merge?(left: Accumulator, right: Accumulator): Accumulator;
}

// Where the types of a descriptor do not matter they are `unknown`: codecs and functions are declared as methods, which TypeScript
// compares loosely enough for that.
/** Any keyed descriptor that has no namespaces. */
export type PlainDescriptor =
  | ValueDescriptor<unknown, unknown>
  | ListDescriptor<unknown>
  | MapDescriptor<unknown, unknown>
  | ReducingDescriptor<unknown>
  | AggregatingDescriptor<unknown, unknown, unknown>;

/** Any descriptor. */
export type StateDescriptor =
  | PlainDescriptor
  | OperatorListDescriptor<unknown>
  | BroadcastDescriptor<unknown, unknown>
  | NamespacedDescriptor<unknown, PlainDescriptor>;

/** What every state that stores values may be given. */
export interface CodecOption<Value> {
  /** @defaultValue `structured()`: any plain JavaScript value, losslessly */
  readonly codec?: Codec<Value>;
}

export interface ValueOptions<Value> extends CodecOption<Value>, TtlOption {
  /** What reading an absent key gives. */
  readonly default?: Value;
}

export interface MapOptions<Field, Value> extends CodecOption<Value> {
  /** @defaultValue `scalar()`: strings, numbers, bigints, booleans, bytes, and arrays of them */
  readonly field?: KeyCodec<Field>;
}

/** Declares one value per key. */
export function value<Value>(options: ValueOptions<Value> & { readonly default: Value }): ValueDescriptor<Value, Value>;
export function value<Value>(options?: ValueOptions<Value>): ValueDescriptor<Value, Value | undefined>;
export function value<Value>(options: ValueOptions<Value> = {}): ValueDescriptor<Value, Value | undefined> {
  const codec = options.codec ?? structured<Value>();
  const fallback = options.default === undefined ? undefined : codec.own(options.default);
  return Object.freeze({ kind: "value", codec, default: fallback, ...ttlPart(options) });
}

/** Declares a list of elements per key. */
export function list<Element>(options: CodecOption<Element> & TtlOption = {}): ListDescriptor<Element> {
  return Object.freeze({ kind: "list", codec: options.codec ?? structured<Element>(), ...ttlPart(options) });
}

/** Declares fields and values per key. */
export function map<Field extends ScalarKey, Value>(
  options?: MapOptions<Field, Value> & TtlOption,
): MapDescriptor<Field, Value>;
export function map<Field, Value>(
  options: MapOptions<Field, Value> & TtlOption & { readonly field: KeyCodec<Field> },
): MapDescriptor<Field, Value>;
export function map<Field, Value>(options: MapOptions<Field, Value> & TtlOption = {}): MapDescriptor<Field, Value> {
  return Object.freeze({
    kind: "map",
    field: fieldOf(options),
    codec: options.codec ?? structured<Value>(),
    ...ttlPart(options),
  });
}

/** Declares one value per key that `reduce` combines from the values added. */
export function reducing<Value>(
  reduce: Reduce<Value>,
  options: CodecOption<Value> & TtlOption = {},
): ReducingDescriptor<Value> {
  return Object.freeze({ kind: "reducing", codec: options.codec ?? structured<Value>(), reduce, ...ttlPart(options) });
}

/** Declares one accumulator per key. */
export function aggregating<Input, Accumulator, Result>(
  aggregate: Aggregate<Input, Accumulator, Result>,
  options: CodecOption<Accumulator> & TtlOption = {},
): AggregatingDescriptor<Input, Accumulator, Result> {
  return Object.freeze({
    kind: "aggregating",
    codec: options.codec ?? structured<Accumulator>(),
    aggregate,
    ...ttlPart(options),
  });
}

/** Declares a list of the task whose elements are dealt out anew among the tasks when their number changes. */
export function splitList<Element>(options: CodecOption<Element> = {}): OperatorListDescriptor<Element> {
  return Object.freeze({ kind: "split-list", codec: options.codec ?? structured<Element>() });
}

/** Declares a list of the task of which every task gets the elements of all when their number changes. */
export function unionList<Element>(options: CodecOption<Element> = {}): OperatorListDescriptor<Element> {
  return Object.freeze({ kind: "union-list", codec: options.codec ?? structured<Element>() });
}

/** Declares a map that is the same in every task. */
export function broadcast<Field, Value>(options: MapOptions<Field, Value> = {}): BroadcastDescriptor<Field, Value> {
  return Object.freeze({ kind: "broadcast", field: fieldOf(options), codec: options.codec ?? structured<Value>() });
}

/** Declares that a keyed state exists once in each namespace, for example in each window. */
export function namespaced<Namespace, Inner extends PlainDescriptor>(
  namespace: KeyCodec<Namespace>,
  inner: Inner,
): NamespacedDescriptor<Namespace, Inner> {
  return Object.freeze({ kind: "namespaced", namespace, inner });
}

function fieldOf<Field, Value>(options: MapOptions<Field, Value>): KeyCodec<Field> {
  // Without a codec of its own, `Field` is a `ScalarKey`: the overloads of `map` say so.
  return options.field ?? (scalar() as unknown as KeyCodec<Field>);
}
