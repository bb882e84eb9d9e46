/** From a descriptor to its table and its handle, where the rest of the state is in a store. */

import { FLAG_EXPIRES } from "../segment/entry-block.js";
import type { StoreAccess } from "../stored/store-access.js";
import { type RowFormat, StoredCells } from "../stored/stored-cells.js";
import { StoredValues } from "../stored/stored-values.js";
import { EMPTY_KEY, type BinaryKey } from "../key/binary-key.js";
import type { Address } from "../table/address.js";
import { readElements, writeElements } from "../table/list-elements.js";
import { RowMeter } from "../table/row-meter.js";
import type { StateTable } from "../table/state-table.js";
import { stampedCodec } from "../table/stamped.js";
import type { TableOptions } from "../table/table-options.js";
import type { Binding } from "./bind.js";
import type { ListDescriptor, MapDescriptor, PlainDescriptor } from "./descriptors.js";
import { foldingByAggregate, foldingByReduce } from "./folding-handle.js";
import { type StoredMerger, storedMergerOfLists, storedMergerOfValues } from "./merge-stored-namespaces.js";
import type { Scope } from "./scope.js";
import { PointFoldingHandle, StoredFoldingHandle } from "./stored-folding-handle.js";
import { StoredListHandle } from "./stored-list-handle.js";
import { StoredListRows } from "./stored-list-rows.js";
import { PointMapHandle, StoredMapHandle } from "./stored-map-handle.js";
import { StoredMapRows } from "./stored-map-rows.js";
import type { StoredSweeping } from "./stored-sweep.js";
import { PointValueHandle, StoredValueHandle } from "./stored-value-handle.js";
import { StoredValueRows } from "./stored-value-rows.js";
import { Ttl } from "./ttl.js";

/** A table that learns when its store has got its changes. */
export interface StoredTable extends StateTable {
  applied(epoch: number): void;
}

export interface BoundStored {
  readonly table: StoredTable;
  readonly handleIn: (scope: Scope) => unknown;
  /** Of kinds whose namespaces can be merged. */
  readonly merger?: StoredMerger;
  /** There if values expire: removes what has expired. */
  readonly sweep?: StoredSweeping | undefined;
}

interface StoredParts {
  readonly options: TableOptions;
  readonly ttl: Ttl | undefined;
  readonly access: StoreAccess;
}

export function bindStored(
  descriptor: PlainDescriptor,
  binding: Binding,
  { address, access }: { readonly address: Address; readonly access: StoreAccess },
): BoundStored {
  const { codec } = descriptor;
  const ttl = descriptor.ttl === undefined ? undefined : new Ttl(descriptor.ttl, binding.time);
  const plain: TableOptions = { ...binding, address, codec };
  const options = ttl === undefined ? plain : { ...plain, codec: stampedCodec(codec), valueFlags: FLAG_EXPIRES };
  const parts = { options, ttl, access };
  if (descriptor.kind === "list") return bindList(descriptor, parts);
  if (descriptor.kind === "map") return bindMap(descriptor, parts);
  const { isSync } = access.reads;
  const ValueHandle = isSync ? PointValueHandle : StoredValueHandle;
  const FoldingHandle = isSync ? PointFoldingHandle : StoredFoldingHandle;
  const table = new StoredValues(options, access);
  const rows = new StoredValueRows(table, ttl);
  const sweep = ttl === undefined ? undefined : rows.sweep(ttl, options);
  switch (descriptor.kind) {
    case "value":
      return {
        table,
        sweep,
        handleIn: (scope) => new ValueHandle(rows, scope, { codec, default: descriptor.default }),
      };
    case "reducing": {
      const reduce = (accumulated: unknown, added: unknown): unknown => descriptor.reduce(accumulated, added);
      const folding = foldingByReduce(reduce, codec);
      const merger = storedMergerOfValues(rows, codec, reduce);
      return { table, merger, sweep, handleIn: (scope) => new FoldingHandle(rows, scope, { codec, folding }) };
    }
    case "aggregating": {
      const { aggregate } = descriptor;
      const folding = foldingByAggregate(aggregate);
      const merger = storedMergerOfValues(rows, codec, aggregate.merge?.bind(aggregate));
      return { table, merger, sweep, handleIn: (scope) => new FoldingHandle(rows, scope, { codec, folding }) };
    }
  }
}

function bindList({ codec }: ListDescriptor<unknown>, { options, ttl, access }: StoredParts): BoundStored {
  const meter = new RowMeter(options.codec);
  const format: RowFormat = {
    encode: (sub) => sub as BinaryKey,
    decode: (key, offset) => key.slice(offset),
    write: (content, out) => writeElements(options.codec, content as readonly unknown[], out),
    read: (value) => readElements(options.codec, value),
    valuesOf: (content) => (content as readonly unknown[]).length,
    valueBytes: () => access.rowBytes(meter),
    // Of a row of elements the entry has no expiry: rows go when they are read.
    flags: 0,
    wholeSub: EMPTY_KEY,
  };
  const table = new StoredCells(options, access, format);
  const rows = new StoredListRows(table, { epoch: options.epoch, meter, ttl });
  return {
    table,
    sweep: ttl === undefined ? undefined : rows.sweep(ttl, options),
    merger: storedMergerOfLists(rows),
    handleIn: (scope) => new StoredListHandle(rows, scope, codec),
  };
}

function bindMap(descriptor: MapDescriptor<unknown, unknown>, { options, ttl, access }: StoredParts): BoundStored {
  const meter = new RowMeter(options.codec);
  const field = descriptor.field;
  const codec = options.codec;
  const format: RowFormat = {
    encode: (sub) => field.encode(field.fromIdentity(sub)),
    decode: (key, offset) => field.identity(field.decode(key, offset).key),
    write: (content, out) => codec.write(content, out),
    read: (value) => codec.read(value),
    valuesOf: () => 1,
    valueBytes: () => access.rowBytes(meter),
    flags: options.valueFlags ?? 0,
  };
  const table = new StoredCells(options, access, format);
  const MapHandle = access.reads.isSync ? PointMapHandle : StoredMapHandle;
  const rows = new StoredMapRows(table, { field, meter, ttl });
  const sweep = ttl === undefined ? undefined : rows.sweep(ttl, options);
  return { table, sweep, handleIn: (scope) => new MapHandle(rows, scope, descriptor.codec) };
}
