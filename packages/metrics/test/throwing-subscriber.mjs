/** A job whose every message meets a subscriber that throws. Prints what became of both, as JSON. Argument: an empty directory. */

import { subscribe } from "node:diagnostics_channel";
import { defineOperator, openTask, string, value } from "@tidemark/core";
import { filesystem } from "@tidemark/filesystem";

const uncaught = new Set();
process.on("uncaughtException", (error) => uncaught.add(error.message));
for (const name of ["checkpoint:start", "checkpoint:end", "checkpoint:subsumed", "restore", "state:access", "memory"]) {
  subscribe(`tidemark:${name}`, () => {
    throw new Error(name);
  });
}

const operator = defineOperator("counter", { key: string(), states: { count: value({ default: 0 }) } });
const options = { job: "job", backend: filesystem({ directory: process.argv[2] }) };
const task = await openTask(operator, options);
const statuses = [];
for (let i = 1; i <= 2; i++) {
  task.count.set("k", i);
  statuses.push((await task.checkpoint()).status);
}
await task.close();
const again = await openTask(operator, options);
const count = await again.count.get("k");
await again.close();
// Errors of subscribers are thrown after what is under way.
process.once("beforeExit", () => {
  process.stdout.write(JSON.stringify({ statuses, count, uncaught: [...uncaught].sort() }));
});
