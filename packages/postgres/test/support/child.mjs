/**
 * A process that runs a job: `node child.mjs URL SCHEMA`. In each round it writes the round to every key, checkpoints, and says the round on stdout,
 * until it is killed.
 */

import { argv, stdout } from "node:process";
import { defineOperator, openTask, string, value } from "@tidemark/core";
import { postgres } from "../../dist/index.js";

const [, , url, schema] = argv;
const operator = defineOperator("rounds", { key: string(), states: { n: value() } });
const task = await openTask(operator, { job: "killed", backend: postgres({ url, schema, cacheBytes: 0 }), retain: 2 });
stdout.write("open\n");
for (let round = ((await task.n.get("k0")) ?? 0) + 1; ; round++) {
  for (let key = 0; key < 300; key++) task.n.set(`k${key}`, round);
  await task.checkpoint();
  stdout.write(`${round}\n`);
}
