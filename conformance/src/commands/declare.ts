/** The operators of the kit, declared to core. */

import {
  aggregating,
  type AnyOperator,
  broadcast,
  type Codec,
  defineOperator,
  list,
  map,
  namespaced,
  number,
  type PlainDescriptor,
  reducing,
  splitList,
  type StateDescriptor,
  string,
  type TtlOptions,
  unionList,
  value,
} from "@tidemark/core";
import { type Accumulator, aggregate, reduce, type StateSpec } from "../model/catalog.js";
import { type CodecOf, codecOf } from "./formats.js";
import { MAX_PARALLELISM } from "../model/domains.js";
import type { ModelField } from "../model/key-order.js";

/** Names of the operators: one has text as keys, the other numbers. */
export const OPERATOR_NAMES: readonly string[] = ["constructor", "a/b %"];

export { MAX_PARALLELISM };

/** How the declared states write their values. */
export interface ValueFormat {
  readonly format: number;
  readonly codecOf: CodecOf;
}

/** By the specifications of the first operator and of the second one. */
const declared = [new WeakMap<readonly StateSpec[], AnyOperator>(), new WeakMap<readonly StateSpec[], AnyOperator>()];

/** As `declareOperator` in the first format with the kit's codecs, once for the same specifications: a declaration is for many jobs. */
export function operatorOf(index: number, specs: readonly StateSpec[]): AnyOperator {
  const known = declared[index]?.get(specs);
  if (known !== undefined) return known;
  const operator = declareOperator(index, specs);
  declared[index]?.set(specs, operator);
  return operator;
}

const FIRST_FORMAT: ValueFormat = { format: 0, codecOf };

/** Declares operator `index` with `specs`, in their order, and with timers. */
export function declareOperator(
  index: number,
  specs: readonly StateSpec[],
  values: ValueFormat = FIRST_FORMAT,
): AnyOperator {
  const states = Object.fromEntries(specs.map((spec) => [spec.name, descriptorOf(spec, values)]));
  const key = index === 0 ? string() : number();
  const timers = { namespace: string() };
  const options = { key, states, maxParallelism: MAX_PARALLELISM, timers };
  return defineOperator(OPERATOR_NAMES[index] ?? "", options as never) as unknown as AnyOperator;
}

function descriptorOf(spec: StateSpec, { format, codecOf: codec }: ValueFormat): StateDescriptor {
  const option = { codec: codec(spec.kind, format) };
  switch (spec.kind) {
    case "split-list":
      return splitList(option);
    case "union-list":
      return unionList(option);
    case "broadcast":
      return broadcast<ModelField, unknown>(option);
    default: {
      const plain = plainDescriptorOf(spec, spec.ttl === undefined ? option : { ...option, ttl: spec.ttl });
      return spec.isNamespaced ? namespaced(string(), plain) : plain;
    }
  }
}

interface Options {
  readonly codec: Codec<unknown>;
  readonly ttl?: TtlOptions;
}

function plainDescriptorOf({ kind, default: fallback }: StateSpec, options: Options): PlainDescriptor {
  switch (kind) {
    case "list":
      return list(options);
    case "map":
      return map<ModelField, unknown>(options);
    case "reducing":
      return reducing<string>(reduce, options as Options & { readonly codec: Codec<string> });
    case "aggregating":
      return aggregating<string, Accumulator, string>(
        aggregate,
        options as Options & { readonly codec: Codec<Accumulator> },
      );
    default:
      return fallback === undefined ? value(options) : value({ ...options, default: fallback });
  }
}
