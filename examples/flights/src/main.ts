/** `npm start`: the flights job, killed and restored, against a plain computation of the same. */

import { runCommand } from "./command.js";

process.exitCode = await runCommand(process.argv.slice(2));
