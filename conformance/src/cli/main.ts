#!/usr/bin/env node
/** The command `tidemark-conformance`. */

import { runCommand } from "./run-command.js";

const code = await runCommand(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  isTerminal: process.stderr.isTTY === true,
});
// What an adapter has left running must not keep the command alive; what was printed must be out.
process.stdout.write("", () => process.exit(code));
