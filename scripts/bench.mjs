/** Runs the benchmarks: `npm run bench -- <arguments>`. Their output, their exit code. */

import { join } from "node:path";
import { passThrough, root } from "./processes.mjs";
import { setupOrExit } from "./setup.mjs";

await setupOrExit();
const main = join(root, "benchmarks", "dist", "main.js");
process.exitCode = await passThrough(process.execPath, ["--expose-gc", main, ...process.argv.slice(2)]);
