/**
 * Reads the flights, one row group at a time, as columns.
 *
 * Invariants:
 * - At most one row group is in memory; no object is made per row.
 * - A row has the same number in every run: its position in the file, from 0.
 */

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { decompress } from "fzstd";
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, type ParquetReadOptions } from "hyparquet";
import type { Flight } from "./flight-state.js";

export const FLIGHT_COUNT = 3_000_000;

/** The rows `start <= row < end`, each column from index 0. */
export interface FlightColumns {
  readonly start: number;
  readonly end: number;
  /** Departure in local time, as if it were UTC: milliseconds since 1970. */
  readonly date: Float64Array;
  /** Minutes; negative is early. */
  readonly delay: Int32Array;
  /** Miles. */
  readonly distance: Int32Array;
  readonly origin: readonly string[];
  readonly destination: readonly string[];
}

/** Where the flight of a row leaves from. */
export function originAt({ start, origin }: FlightColumns, row: number): string {
  return origin[row - start] as string;
}

export function flightAt({ start, date, destination, delay, distance }: FlightColumns, row: number): Flight {
  const index = row - start;
  return {
    date: date[index] as number,
    destination: destination[index] as string,
    delay: delay[index] as number,
    distance: distance[index] as number,
  };
}

/** The rows `from <= row < to` in order. Row groups outside are neither read nor decoded. */
export async function* readFlights(from: number, to: number): AsyncGenerator<FlightColumns, void, undefined> {
  const file = await asyncBufferFromFile(flightsPath());
  const metadata = await parquetMetadataAsync(file);
  let start = 0;
  for (const group of metadata.row_groups) {
    const end = start + Number(group.num_rows);
    if (end > from && start < to) {
      const columns = await readGroup({ file, metadata, rowStart: start, rowEnd: end });
      yield narrowed({ start, end, ...columns }, from, to);
    }
    start = end;
  }
  if (start < to) throw new RangeError(`The file has too few flights. found=${start} wanted=${to}.`);
}

type Columns = Omit<FlightColumns, "start" | "end">;
type Group = Pick<ParquetReadOptions, "file" | "metadata"> & { readonly rowStart: number; readonly rowEnd: number };

async function readGroup(group: Group): Promise<Columns> {
  const rowCount = group.rowEnd - group.rowStart;
  const columns = {
    date: new Float64Array(rowCount),
    delay: new Int32Array(rowCount),
    distance: new Int32Array(rowCount),
    origin: new Array<string>(rowCount).fill(""),
    destination: new Array<string>(rowCount).fill(""),
  };
  await parquetRead({
    ...group,
    columns: Object.keys(columns),
    // The file is compressed with Zstandard, which neither hyparquet nor this version of Node.js brings along.
    compressors: { ZSTD: (input, outputLength) => decompress(input, new Uint8Array(outputLength)) },
    parsers: { timestampFromMicroseconds: (micros: bigint) => Number(micros / 1000n) },
    onChunk: ({ columnName, columnData, rowStart }) => {
      const column = columns[columnName as keyof Columns];
      const at = rowStart - group.rowStart;
      if (Array.isArray(column)) copyTexts(columnData, column, at);
      else copyNumbers(columnData, column, at);
    },
  });
  return columns;
}

function copyTexts(from: ArrayLike<unknown>, to: string[], at: number): void {
  for (let i = 0; i < from.length; i++) {
    const text = from[i];
    if (typeof text !== "string") throw unexpected(text);
    to[at + i] = text;
  }
}

function copyNumbers(from: ArrayLike<unknown>, to: Float64Array | Int32Array, at: number): void {
  for (let i = 0; i < from.length; i++) {
    const number = from[i];
    if (typeof number !== "number" && typeof number !== "bigint") throw unexpected(number);
    to[at + i] = Number(number);
  }
}

function unexpected(cell: unknown): RangeError {
  return new RangeError(`The file of flights is not the one that was expected. cell=${String(cell)}.`);
}

function narrowed(columns: FlightColumns, from: number, to: number): FlightColumns {
  const start = Math.max(columns.start, from);
  const end = Math.min(columns.end, to);
  if (start === columns.start && end === columns.end) return columns;
  const range = [start - columns.start, end - columns.start] as const;
  return {
    start,
    end,
    date: columns.date.subarray(...range),
    delay: columns.delay.subarray(...range),
    distance: columns.distance.subarray(...range),
    origin: columns.origin.slice(...range),
    destination: columns.destination.slice(...range),
  };
}

/** The package exports its index only; the data lies beside the folder of that. */
function flightsPath(): string {
  const index = createRequire(import.meta.url).resolve("vega-datasets");
  return join(dirname(index), "..", "data", "flights-3m.parquet");
}
