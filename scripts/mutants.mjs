/** Runs every broken storage and job of the conformance kit: `npm run mutants`. The last line is `mutants killed: K/N`. */

import { passThrough, root } from "./processes.mjs";
import { setupOrExit } from "./setup.mjs";

await setupOrExit();
const command = `${root}/conformance/dist/cli/main.js`;
process.exitCode = await passThrough(process.execPath, [command, "mutants", ...process.argv.slice(2)]);
