/**
 * From a descriptor to its table and its handle: the only place that knows which kind of state is which.
 */

import type { Codec, KeyCodec } from "../contracts/codec.js";
import { EMPTY_KEY } from "../key/binary-key.js";
import type { KeyGroups } from "../key/key-groups.js";
import { FLAG_EXPIRES } from "../segment/entry-block.js";
import { Address } from "../table/address.js";
import type { StoreAccess } from "../stored/store-access.js";
import type { Epoch } from "../table/epoch.js";
import { Expiries } from "../table/expiries.js";
import { ListTable } from "../table/list-table.js";
import { MapTable } from "../table/map-table.js";
import type { StateTable } from "../table/state-table.js";
import { stampedCodec } from "../table/stamped.js";
import type { TaskTime } from "../table/task-time.js";
import type { TableOptions } from "../table/table-options.js";
import { ValueTable } from "../table/value-table.js";
import { bindStored, type StoredTable } from "./bind-stored.js";
import type {
  BroadcastDescriptor,
  NamespacedDescriptor,
  OperatorListDescriptor,
  PlainDescriptor,
  StateDescriptor,
} from "./descriptors.js";
import { ExpiringLists } from "./expiring-lists.js";
import { ExpiringMaps } from "./expiring-maps.js";
import { ExpiringValues } from "./expiring-values.js";
import { FoldingHandle, foldingByAggregate, foldingByReduce } from "./folding-handle.js";
import type { NamespacedState } from "./handles.js";
import { KeyLocks } from "./key-locks.js";
import { ListHandle, OperatorListHandle } from "./list-handle.js";
import { BroadcastHandle, MapHandle } from "./map-handle.js";
import { storedNamespaceMerging } from "./merge-stored-namespaces.js";
import { mergerOfLists, mergerOfValues, type NamespaceMerger, namespaceMerging } from "./merge-namespaces.js";
import { OPERATOR_SCOPE, operatorKey } from "./operator-key.js";
import type { ValueRows } from "./rows.js";
import type { Scope } from "./scope.js";
import type { StoredSweeping } from "./stored-sweep.js";
import type { Sweeping } from "./sweep.js";
import { Ttl } from "./ttl.js";
import { ValueHandle } from "./value-handle.js";

/** What all states of a task have in common. */
export interface Binding {
  readonly stateId: number;
  readonly key: KeyCodec<unknown>;
  readonly groups: KeyGroups;
  readonly maxParallelism: number;
  readonly epoch: Epoch;
  readonly time: TaskTime;
  /** There if the rest of keyed state is in a store. */
  readonly access?: StoreAccess | undefined;
}

/** A state that is ready for use. */
export interface BoundState {
  readonly descriptor: StateDescriptor;
  readonly table: StateTable;
  readonly handle: unknown;
  /** False for operator state, which goes by task and not by key group. */
  readonly isKeyed: boolean;
  /** There if values expire: goes over all cells and removes what has expired. */
  readonly sweep?: Sweeping | undefined;
  /** The table, if the rest of the state is in a store. */
  readonly stored?: StoredTable | undefined;
  /** As `sweep`, of a state whose rest is in a store. */
  readonly storedSweep?: StoredSweeping | undefined;
}

export function bindState(descriptor: StateDescriptor, binding: Binding): BoundState {
  switch (descriptor.kind) {
    case "split-list":
    case "union-list":
      return bindOperatorList(descriptor, binding);
    case "broadcast":
      return bindBroadcast(descriptor, binding);
    case "namespaced": {
      const address = new Address(binding.key, descriptor.namespace);
      if (binding.access !== undefined) {
        return bindStoredNamespaces(descriptor, binding, { address, access: binding.access });
      }
      const { table, handleIn, merger, sweep } = bindPlain(descriptor.inner, binding, address);
      const namespaces = address.namespace as KeyCodec<unknown>;
      const scope = { epoch: binding.epoch, address, locks: new KeyLocks() };
      const handle: NamespacedState<unknown, unknown> = {
        in: (namespace) => handleIn({ ...scope, namespace: namespaces.encode(namespace) }),
        ...(merger === undefined ? {} : namespaceMerging(merger, binding.epoch, namespaces)),
      };
      return { descriptor, table, handle: Object.freeze(handle), isKeyed: true, sweep };
    }
    default: {
      const address = new Address(binding.key, undefined);
      const scope = { epoch: binding.epoch, address, namespace: EMPTY_KEY, locks: new KeyLocks() };
      if (binding.access !== undefined) {
        const { table, handleIn, sweep } = bindStored(descriptor, binding, { address, access: binding.access });
        return { descriptor, table, handle: handleIn(scope), isKeyed: true, stored: table, storedSweep: sweep };
      }
      const { table, handleIn, sweep } = bindPlain(descriptor, binding, address);
      return { descriptor, table, handle: handleIn(scope), isKeyed: true, sweep };
    }
  }
}

function bindStoredNamespaces(
  descriptor: NamespacedDescriptor<unknown, PlainDescriptor>,
  binding: Binding,
  place: { readonly address: Address; readonly access: StoreAccess },
): BoundState {
  const { address } = place;
  const { table, handleIn, merger, sweep } = bindStored(descriptor.inner, binding, place);
  const namespaces = address.namespace as KeyCodec<unknown>;
  const scope = { epoch: binding.epoch, address, locks: new KeyLocks() };
  const handle: NamespacedState<unknown, unknown> = {
    in: (namespace) => handleIn({ ...scope, namespace: namespaces.encode(namespace) }),
    ...(merger === undefined ? {} : storedNamespaceMerging(merger, binding.epoch, namespaces)),
  };
  return { descriptor, table, handle: Object.freeze(handle), isKeyed: true, stored: table, storedSweep: sweep };
}

interface BoundPlain {
  readonly table: StateTable;
  readonly handleIn: (scope: Scope) => unknown;
  /** Of kinds whose namespaces can be merged. */
  readonly merger?: NamespaceMerger;
  readonly sweep?: Sweeping | undefined;
}

function bindPlain(descriptor: PlainDescriptor, binding: Binding, address: Address): BoundPlain {
  const codec = descriptor.codec;
  const ttl = descriptor.ttl === undefined ? undefined : new Ttl(descriptor.ttl, binding.time);
  const plain: TableOptions = { ...binding, address, codec };
  const options = ttl === undefined ? plain : { ...plain, codec: stampedCodec(codec), valueFlags: FLAG_EXPIRES };
  switch (descriptor.kind) {
    case "value": {
      const { table, rows, sweep } = valueRows(plain, ttl);
      return {
        table,
        sweep,
        handleIn: (scope) => new ValueHandle(rows, scope, { codec, default: descriptor.default }),
      };
    }
    case "list": {
      // Of a row of elements the entry has no expiry: rows go when they are swept or read.
      const table = new ListTable({ ...options, valueFlags: 0 });
      const rows = ttl === undefined ? undefined : new ExpiringLists(table, ttl, options);
      const seen = rows ?? table;
      const handleIn = (scope: Scope): unknown => new ListHandle(seen, scope, codec);
      return { table, sweep: rows?.sweep, handleIn, merger: mergerOfLists(seen) };
    }
    case "map": {
      const table = new MapTable({ ...options, field: descriptor.field });
      if (ttl === undefined) return { table, handleIn: (scope) => new MapHandle(table, scope, codec) };
      const rows = new ExpiringMaps(table, ttl, options);
      return { table, sweep: rows.sweep, handleIn: (scope) => new MapHandle(rows, scope, codec) };
    }
    case "reducing": {
      const { table, rows, sweep } = valueRows(plain, ttl);
      const reduce = (accumulated: unknown, added: unknown): unknown => descriptor.reduce(accumulated, added);
      const folding = foldingByReduce(reduce, codec);
      const merger = mergerOfValues(rows, codec, reduce);
      return { table, sweep, handleIn: (scope) => new FoldingHandle(rows, scope, { codec, folding }), merger };
    }
    case "aggregating": {
      const { table, rows, sweep } = valueRows(plain, ttl);
      const { aggregate } = descriptor;
      const folding = foldingByAggregate(aggregate);
      const merger = mergerOfValues(rows, codec, aggregate.merge?.bind(aggregate));
      return { table, sweep, handleIn: (scope) => new FoldingHandle(rows, scope, { codec, folding }), merger };
    }
  }
}

interface BoundRows<Table extends StateTable, Rows> {
  readonly table: Table;
  /** What a handle sees. */
  readonly rows: Rows;
  readonly sweep?: Sweeping;
}

function valueRows(options: TableOptions, ttl: Ttl | undefined): BoundRows<ValueTable, ValueRows> {
  if (ttl === undefined) {
    const table = new ValueTable(options);
    return { table, rows: table };
  }
  const expiries = new Expiries();
  const table = new ValueTable(options, expiries);
  const rows = new ExpiringValues({ table, expiries, options }, ttl);
  return { table, rows, sweep: rows };
}

function operatorOptions(codec: unknown, binding: Binding): TableOptions {
  const address = new Address(operatorKey, undefined);
  return { ...binding, ...OPERATOR_SCOPE, address, codec: codec as Codec<unknown> };
}

function operatorScope({ address, epoch }: TableOptions): Scope {
  return { epoch, address, namespace: EMPTY_KEY, locks: new KeyLocks() };
}

function bindOperatorList(descriptor: OperatorListDescriptor<unknown>, binding: Binding): BoundState {
  const options = operatorOptions(descriptor.codec, binding);
  const table = new ListTable(options);
  const list = new ListHandle<undefined, unknown>(table, operatorScope(options), options.codec);
  return { descriptor, table, handle: new OperatorListHandle(list), isKeyed: false };
}

function bindBroadcast(descriptor: BroadcastDescriptor<unknown, unknown>, binding: Binding): BoundState {
  const options = operatorOptions(descriptor.codec, binding);
  const table = new MapTable({ ...options, field: descriptor.field });
  const map = new MapHandle<undefined, unknown, unknown>(table, operatorScope(options), options.codec);
  return { descriptor, table, handle: new BroadcastHandle(map), isKeyed: false };
}
