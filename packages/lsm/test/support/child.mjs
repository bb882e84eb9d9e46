/**
 * A process that holds a store: `node child.mjs DIRECTORY HISTORY`. It applies the deltas of the file HISTORY that are missing, says so on stdout, one line
 * each, and then stays until it is killed.
 */

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { argv, stdin, stdout } from "node:process";
import { KeyGroups } from "@tidemark/core";
import { lsm } from "../../dist/index.js";

const [, , directory, historyPath] = argv;
const { scope, fence, options, deltas } = JSON.parse(readFileSync(historyPath, "utf8"));

const store = lsm({ directory, ...options }).store.create();
const [held] = await store.open({ ...scope, groups: KeyGroups.fromJSON(scope.groups) }, fence);
stdout.write("open\n");
for (const { mark, changes } of deltas) {
  if (held !== undefined && mark.checkpoint <= held.mark.checkpoint) continue;
  await store.apply(mark, deltaOf(changes));
  stdout.write(`${mark.checkpoint}\n`);
}
stdin.resume();

function deltaOf(changes) {
  const decoded = changes.map(({ value, ...change }) =>
    value === undefined ? change : { ...change, value: Buffer.from(value, "base64") },
  );
  return {
    async *[Symbol.asyncIterator]() {
      for (let first = 0; first < decoded.length; first += 400) yield decoded.slice(first, first + 400);
    },
  };
}
