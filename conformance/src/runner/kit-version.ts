/** The version of this package, as its manifest says it. */

import { readFileSync } from "node:fs";

const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

/** `name@version`. */
export const KIT_VERSION = `@tidemark/conformance@${manifest.version}`;
