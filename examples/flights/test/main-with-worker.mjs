/** The command with another worker: `node main-with-worker.mjs <worker> <arguments>`. */

import { runCommand } from "../dist/command.js";

const [worker, ...args] = process.argv.slice(2);
process.exitCode = await runCommand(args, worker);
