/** The flights of January to March 2001 from the vega-datasets package, as a stream of departures. */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export interface Departure {
  readonly origin: string;
  readonly destination: string;
  /** When it was planned to leave, milliseconds since 1970: the time of the event. */
  readonly planned: number;
  /** When it left: the stream is in this order, so that planned times come in disorder. */
  readonly left: number;
  readonly delayMinutes: number;
  readonly distanceMiles: number;
}

interface Row {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

const MINUTE_MS = 60_000;
/** Longer delays are cut off, so that a watermark can promise something. */
const DELAY_MINUTES_MAX = 240;

/** All departures, ascending by `left`; `left` is at most four hours after `planned`. */
export async function readDepartures(): Promise<readonly Departure[]> {
  // The package exports its index only; the data lies beside the folder of that.
  const index = createRequire(import.meta.url).resolve("vega-datasets");
  const path = join(dirname(index), "..", "data", "flights-20k.json");
  const rows = JSON.parse(await readFile(path, "utf8")) as readonly Row[];
  return rows.map(departureOf).sort((a, b) => a.left - b.left);
}

function departureOf({ date, delay, distance, origin, destination }: Row): Departure {
  const planned = Date.parse(`${date.replaceAll("/", "-").replace(" ", "T")}:00Z`);
  const delayMinutes = Math.min(delay, DELAY_MINUTES_MAX);
  return {
    origin,
    destination,
    planned,
    left: planned + delayMinutes * MINUTE_MS,
    delayMinutes,
    distanceMiles: distance,
  };
}
