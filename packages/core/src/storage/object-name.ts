/** The rule for names of stored objects, for every storage. */

import { quoted } from "../errors.js";

const NAME = /^[a-z0-9][a-z0-9._-]{0,119}(\/[a-z0-9][a-z0-9._-]{0,119})*$/;

/** @throws {RangeError} if `name` is not made as the contract says */
export function checkObjectName(name: string): void {
  if (typeof name === "string" && name.length <= 1024 && NAME.test(name)) return;
  throw new RangeError(
    `Not a name of a stored object. received=${quoted(String(name))} expected=parts of [a-z0-9._-], joined by "/", none beginning with a dot or dash.`,
  );
}
