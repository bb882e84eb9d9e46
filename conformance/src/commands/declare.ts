/** The operators of the kit, declared to core. */

import {
  aggregating,
  type AnyOperator,
  broadcast,
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
  unionList,
  value,
} from "@tidemark/core";
import { type Accumulator, aggregate, reduce, type StateSpec } from "../model/catalog.js";
import type { ModelField } from "../model/key-order.js";

/** Names of the operators: one has text as keys, the other numbers. */
export const OPERATOR_NAMES: readonly string[] = ["constructor", "a/b %"];

/** Few, so that every key group meets keys; more than any number of tasks. */
export const MAX_PARALLELISM = 6;

/** Declares operator `index` with `specs`, in their order. */
export function declareOperator(index: number, specs: readonly StateSpec[]): AnyOperator {
  const states = Object.fromEntries(specs.map((spec) => [spec.name, descriptorOf(spec)]));
  const key = index === 0 ? string() : number();
  const options = { key, states, maxParallelism: MAX_PARALLELISM };
  return defineOperator(OPERATOR_NAMES[index] ?? "", options as never) as unknown as AnyOperator;
}

function descriptorOf(spec: StateSpec): StateDescriptor {
  switch (spec.kind) {
    case "split-list":
      return splitList();
    case "union-list":
      return unionList();
    case "broadcast":
      return broadcast<ModelField, unknown>();
    default: {
      const plain = plainDescriptorOf(spec);
      return spec.isNamespaced ? namespaced(string(), plain) : plain;
    }
  }
}

function plainDescriptorOf({ kind, default: fallback }: StateSpec): PlainDescriptor {
  switch (kind) {
    case "list":
      return list();
    case "map":
      return map<ModelField, unknown>();
    case "reducing":
      return reducing<string>(reduce);
    case "aggregating":
      return aggregating<string, Accumulator, string>(aggregate);
    default:
      return fallback === undefined ? value() : value({ default: fallback });
  }
}
