/** What the small examples share: 20,000 real flights in the order of their departure, and a digest to compare results by. */

export { digestOf } from "./digest.js";
export { type Departure, readDepartures } from "./departures.js";
export { inTemporaryDirectory } from "./temporary-directory.js";
