/**
 * Runs histories on the backend in memory for a long time: `npm run soak -- --minutes 10 --seed 7`. The last line is
 * `commands without a false alarm: N`.
 */

import { passThrough, root } from "./processes.mjs";
import { setupOrExit } from "./setup.mjs";

await setupOrExit();
const command = `${root}/conformance/dist/cli/main.js`;
process.exitCode = await passThrough(process.execPath, [command, "soak", ...process.argv.slice(2)]);
