/** Runs the flights example: `npm start -- --backend memory`. Its output, its exit code. */

import { join } from "node:path";
import { passThrough, root } from "./processes.mjs";
import { setupOrExit } from "./setup.mjs";

await setupOrExit();
const main = join(root, "examples", "flights", "dist", "main.js");
process.exitCode = await passThrough(process.execPath, [main, ...process.argv.slice(2)]);
