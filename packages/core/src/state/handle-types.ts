/** From a descriptor to the type of its handle. */

import type { SyncReads } from "../contracts/backend.js";
import type {
  AggregatingDescriptor,
  BroadcastDescriptor,
  ListDescriptor,
  MapDescriptor,
  NamespacedDescriptor,
  OperatorListDescriptor,
  ReducingDescriptor,
  ValueDescriptor,
} from "./descriptors.js";
import type {
  AggregatingState,
  BroadcastState,
  ListState,
  MapState,
  NamespaceMerging,
  NamespacedState,
  OperatorListState,
  PointAggregatingState,
  PointMapState,
  PointReducingState,
  PointValueState,
  ReducingState,
  SyncAggregatingState,
  SyncListState,
  SyncMapState,
  SyncNamespaceMerging,
  SyncReducingState,
  SyncValueState,
  ValueState,
} from "./handles.js";

/** The handle of a state, by its descriptor, the operator's key and whether the backend reads without a promise. */
export type HandleOf<Descriptor, Key, Sync extends SyncReads> =
  Descriptor extends NamespacedDescriptor<infer Namespace, infer Inner>
    ? NamespacedState<Namespace, PlainHandleOf<Inner, Key, Sync>> & MergingOf<Inner, Key, Namespace, Sync>
    : Descriptor extends OperatorListDescriptor<infer Element>
      ? OperatorListState<Element>
      : Descriptor extends BroadcastDescriptor<infer Field, infer Value>
        ? BroadcastState<Field, Value>
        : PlainHandleOf<Descriptor, Key, Sync>;

type MergingOf<Inner, Key, Namespace, Sync extends SyncReads> = Inner extends {
  readonly kind: "list" | "reducing" | "aggregating";
}
  ? Sync extends true
    ? SyncNamespaceMerging<Key, Namespace>
    : NamespaceMerging<Key, Namespace>
  : unknown;

type PlainHandleOf<Descriptor, Key, Sync extends SyncReads> =
  Descriptor extends ValueDescriptor<infer Value, infer Read>
    ? Sync extends true
      ? SyncValueState<Key, Value, Read>
      : Sync extends "point"
        ? PointValueState<Key, Value, Read>
        : ValueState<Key, Value, Read>
    : Descriptor extends ListDescriptor<infer Element>
      ? Sync extends true
        ? SyncListState<Key, Element>
        : ListState<Key, Element>
      : Descriptor extends MapDescriptor<infer Field, infer Value>
        ? Sync extends true
          ? SyncMapState<Key, Field, Value>
          : Sync extends "point"
            ? PointMapState<Key, Field, Value>
            : MapState<Key, Field, Value>
        : FoldingHandleOf<Descriptor, Key, Sync>;

type FoldingHandleOf<Descriptor, Key, Sync extends SyncReads> =
  Descriptor extends AggregatingDescriptor<infer Input, infer _Accumulator, infer Result>
    ? Sync extends true
      ? SyncAggregatingState<Key, Input, Result>
      : Sync extends "point"
        ? PointAggregatingState<Key, Input, Result>
        : AggregatingState<Key, Input, Result>
    : Descriptor extends ReducingDescriptor<infer Value>
      ? Sync extends true
        ? SyncReducingState<Key, Value>
        : Sync extends "point"
          ? PointReducingState<Key, Value>
          : ReducingState<Key, Value>
      : never;
