/**
 * A process that runs a job with results: `node child-results.mjs URL SCHEMA`. In each round it counts every key up, and the checkpoint writes the round
 * to the table `results` of the schema `public`. Says the round on stdout, until it is killed.
 */

import { argv, stdout } from "node:process";
import { defineOperator, openTask, string, value } from "@tidemark/core";
import { postgres } from "../../dist/index.js";

const [, , url, schema] = argv;
const operator = defineOperator("rounds", { key: string(), states: { n: value() } });
const task = await openTask(operator, { job: "results", backend: postgres({ url, schema }), retain: 2 });
stdout.write("open\n");
for (let round = ((await task.n.get("k0")) ?? 0) + 1; ; round++) {
  for (let key = 0; key < 20; key++) task.n.set(`k${key}`, round);
  await task.checkpoint({
    async transaction(client) {
      await client.query("INSERT INTO public.results (round, total) VALUES ($1, $2)", [round, round * 20]);
    },
  });
  stdout.write(`${round}\n`);
}
