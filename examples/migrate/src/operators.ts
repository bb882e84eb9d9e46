/** One operator in two versions: a route had a count; now it has a count and the sum of its delays, and counts are bigger. */

import { codec, defineOperator, evolved, former, integer, splitList, string, value } from "@tidemark/core";

export const before = defineOperator("routes", {
  key: string(),
  states: {
    route: value<number>({ codec: integer() }),
    position: splitList<number>(),
  },
});

export interface Route {
  readonly departures: number;
  /** Unknown for departures that were counted before this field existed. */
  readonly delayMinutes: number;
}

/** Two numbers in 16 bytes. */
const routeCodec = codec<Route>({
  id: "example-route",
  version: 1,
  encode({ departures, delayMinutes }) {
    const bytes = Buffer.alloc(16);
    bytes.writeDoubleBE(departures, 0);
    bytes.writeDoubleBE(delayMinutes, 8);
    return bytes;
  },
  decode(bytes) {
    const view = Buffer.from(bytes);
    return Object.freeze({ departures: view.readDoubleBE(0), delayMinutes: view.readDoubleBE(8) });
  },
});

export const after = defineOperator("routes", {
  key: string(),
  states: {
    // Values of the old codec are taken over one by one, as they are read.
    route: value<Route>({
      codec: evolved(
        routeCodec,
        former(integer(), (departures) => ({ departures, delayMinutes: 0 })),
      ),
      default: { departures: 0, delayMinutes: 0 },
    }),
    position: splitList<number>(),
  },
});
