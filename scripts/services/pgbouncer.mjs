/** A pgbouncer in transaction mode in front of a server: the program of the PATH, or Debian's package, which is unpacked and not installed. */

import { spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { libraryPathOf, unpackedPackages } from "./debian-packages.mjs";
import { freePort, serverAccount } from "./postgres.mjs";

const START_TRIES = 400;
const START_PAUSE_MS = 25;

/** Starts one. See `pgbouncer.d.mts`. */
export async function startPgbouncer({ port: target, sessions }) {
  const { command, libraryPath } = await program();
  const account = serverAccount();
  const directory = mkdtempSync(join(tmpdir(), "tidemark-pgbouncer-"));
  const port = await freePort();
  const users = join(directory, "users");
  const settings = join(directory, "pgbouncer.ini");
  writeFileSync(users, '"tidemark" ""\n');
  writeFileSync(
    settings,
    [
      "[databases]",
      `* = host=127.0.0.1 port=${target}`,
      "[pgbouncer]",
      "listen_addr = 127.0.0.1",
      `listen_port = ${port}`,
      "unix_socket_dir =",
      "auth_type = trust",
      `auth_file = ${users}`,
      "pool_mode = transaction",
      `default_pool_size = ${sessions}`,
      "max_client_conn = 200",
      "",
    ].join("\n"),
  );
  for (const path of [directory, users, settings]) {
    if (account.uid !== undefined) chownSync(path, account.uid, account.gid);
  }
  const env = libraryPath === undefined ? process.env : { ...process.env, LD_LIBRARY_PATH: libraryPath };
  const child = spawn(command, [settings], { ...account, env, cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const stop = async () => {
    kill();
    await exited;
    process.removeListener("exit", kill);
    rmSync(directory, { recursive: true, force: true });
  };
  let log = "";
  child.on("error", (error) => (log += error.message));
  child.stderr.setEncoding("utf8").on("data", (text) => (log = (log + text).slice(-100_000)));
  for (let tries = 0; tries < START_TRIES && child.exitCode === null; tries++) {
    if (log.includes("process up")) return { url: `postgresql://tidemark@127.0.0.1:${port}/postgres`, stop };
    await pause(START_PAUSE_MS);
  }
  await stop();
  throw new Error(`pgbouncer did not start. port=${port} log=${JSON.stringify(log.slice(-2000))}.`);
}

async function program() {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const command = join(folder, "pgbouncer");
    if (folder !== "" && existsSync(command)) return { command };
  }
  try {
    const unpacked = await unpackedPackages(".tidemark-pgbouncer", ["pgbouncer", "libc-ares2", "libevent-2.1-7"]);
    return { command: join(unpacked, "usr", "sbin", "pgbouncer"), libraryPath: libraryPathOf(unpacked) };
  } catch (cause) {
    throw new Error(`There is no pgbouncer. ${cause.message} Install it (Debian: apt-get install pgbouncer).`, {
      cause,
    });
  }
}
