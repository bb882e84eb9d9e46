/** How the scripts run other programs. Node only: this works before anything is installed. */

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Whether the module with this `import.meta.url` is the one that Node was asked to run. */
export function isMain(moduleUrl) {
  return process.argv[1] !== undefined && moduleUrl === pathToFileURL(process.argv[1]).href;
}

/** Resolves with the exit code and everything that was printed, both streams in the order of arrival. */
export function capture(command, args, { cwd = root, env = process.env, timeoutMs, shell = false } = {}) {
  return new Promise((resolve) => {
    let output = "";
    // Not spawn's `timeout`: its timer keeps this process alive when the command does not exist.
    const signal = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
    const child = spawn(command, args, { cwd, env, signal, shell, stdio: ["ignore", "pipe", "pipe"] });
    const collect = (chunk) => {
      output += chunk;
    };
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    child.on("error", (error) => resolve({ code: 127, output: `${output}${error.message}\n` }));
    child.on("close", (code, killedBy) => resolve({ code: code ?? exitCodeOf(killedBy), output }));
  });
}

/** Runs with our terminal and resolves with the exit code. An interrupt is the child's to handle. */
export function passThrough(command, args, { cwd = root, env = process.env } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: "inherit" });
    const ignore = () => {};
    const forward = () => child.kill("SIGTERM");
    process.on("SIGINT", ignore);
    process.on("SIGTERM", forward);
    child.on("error", (error) => {
      process.stderr.write(`${error.message}\n`);
      resolve(127);
    });
    child.on("close", (code, signal) => {
      process.off("SIGINT", ignore);
      process.off("SIGTERM", forward);
      resolve(code ?? exitCodeOf(signal));
    });
  });
}

/** The JavaScript file behind the command of an installed development tool; run it with `process.execPath`. */
export function toolPath(packageName, command = packageName) {
  const directory = join(root, "node_modules", packageName);
  const { bin } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  return join(directory, typeof bin === "string" ? bin : bin[command]);
}

/** `captureTool("typescript", "tsc", ["-b"])` */
export function captureTool(packageName, command, args, options) {
  return capture(process.execPath, [toolPath(packageName, command), ...args], options);
}

function exitCodeOf(signal) {
  const numbers = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
  return 128 + (numbers[signal] ?? 0);
}
