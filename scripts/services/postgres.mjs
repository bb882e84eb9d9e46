/**
 * A PostgreSQL server of one's own: a new cluster on a free port of this machine, stopped by its process id.
 *
 * Invariants:
 * - Never a server that is found by luck: only one that was started here.
 * - As root the server runs as another user, since it refuses root.
 * - Everything is durable unless settings say otherwise: the server syncs as it would in production.
 */

import { execFile, execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { findPostgres, REMEDY } from "./find-postgres.mjs";

const run = promisify(execFile);
const START_TRIES = 600;
const START_PAUSE_MS = 25;
const USERS = ["postgres", "nobody"];
const SIGNALS = { fast: "SIGINT", immediate: "SIGQUIT", smart: "SIGTERM" };

/** Starts a server. See `postgres.d.mts`. */
export async function startPostgres({ settings = {}, initdb = [], tls, bin: said, copyOf } = {}) {
  const bin = said ?? (await findPostgres());
  const account = serverAccount();
  const directory = mkdtempSync(join(tmpdir(), "tidemark-postgres-"));
  const data = join(directory, "data");
  const password = "tidemark-test";
  const passwordFile = join(directory, "password");
  writeFileSync(passwordFile, password);
  mkdirSync(data);
  for (const path of [directory, data, passwordFile]) own(path, account);
  if (copyOf === undefined) await makeCluster({ bin, account, directory, data, passwordFile, initdb });
  else copyCluster(copyOf, data, account);
  const all = { ...settings, ...(tls === undefined ? {} : encryption(tls, directory, account)) };
  const server = new Server({ bin, account, directory, data, port: await freePort(), settings: all, password });
  await server.start();
  return server;
}

async function makeCluster({ bin, account, directory, data, passwordFile, initdb }) {
  const arguments_ = ["-D", data, "-U", "tidemark", "-A", "scram-sha-256", `--pwfile=${passwordFile}`];
  await run(join(bin, "initdb"), [...arguments_, "-E", "UTF8", "--no-locale", "--no-sync", ...initdb], {
    ...account,
    cwd: directory,
  });
}

/** The data of a server that does not run. */
function copyCluster(from, data, account) {
  cpSync(from, data, { recursive: true, preserveTimestamps: true });
  chmodSync(data, 0o700);
  for (const path of [data, ...readdirSync(data, { recursive: true }).map((name) => join(data, name))]) {
    own(path, account);
  }
}

/** Settings of a server that has `tls`, in files that only it may read. */
function encryption(tls, directory, account) {
  const paths = ["cert", "key"].map((name) => {
    const path = join(directory, `${name}.pem`);
    writeFileSync(path, tls[name], { mode: 0o600 });
    own(path, account);
    return path;
  });
  return { ssl: "on", ssl_cert_file: paths[0], ssl_key_file: paths[1] };
}

/** A server that streams from `primary`, read only until it is promoted. See `postgres.d.mts`. */
export async function startStandby(primary, { settings = {} } = {}) {
  const { bin, account, password } = primary.parts;
  const directory = mkdtempSync(join(tmpdir(), "tidemark-postgres-"));
  const data = join(directory, "data");
  own(directory, account);
  // A copy of a server that does not run needs no further program.
  await primary.halt("fast");
  try {
    copyCluster(primary.data, data, account);
  } finally {
    await primary.start();
  }
  writeFileSync(join(data, "standby.signal"), "");
  own(join(data, "standby.signal"), account);
  const source = `host=127.0.0.1 port=${primary.port} user=tidemark password=${password}`;
  const all = { ...settings, primary_conninfo: source };
  const server = new Server({ bin, account, directory, data, port: await freePort(), settings: all, password });
  await server.start();
  return server;
}

class Server {
  #process;
  #log = "";
  #killOnExit = () => this.#killTree();

  constructor(parts) {
    // Not enumerable: whoever prints the server does not print the password.
    Object.defineProperty(this, "parts", { value: parts });
    this.port = parts.port;
    this.data = parts.data;
  }

  get url() {
    return this.urlOf("tidemark", this.parts.password);
  }

  urlOf(user, password, database = "postgres") {
    return `postgresql://${user}:${password}@127.0.0.1:${this.port}/${database}`;
  }

  get pid() {
    return this.#process?.pid;
  }

  get log() {
    return this.#log;
  }

  async start() {
    const { bin, account, data, port, settings, directory } = this.parts;
    const all = { listen_addresses: "127.0.0.1", unix_socket_directories: "", port, ...settings };
    const options = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    this.#log = "";
    const child = spawn(join(bin, "postgres"), ["-D", data, ...options], {
      ...account,
      cwd: directory,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#process = child;
    child.exited = new Promise((resolve) => child.once("exit", resolve));
    child.stderr.setEncoding("utf8").on("data", (text) => {
      this.#log = (this.#log + text).slice(-100_000);
    });
    process.once("exit", this.#killOnExit);
    for (let tries = 0; tries < START_TRIES; tries++) {
      if (this.#log.includes("ready to accept")) return;
      if (child.exitCode !== null) break;
      await pause(START_PAUSE_MS);
    }
    this.#killTree();
    throw new Error(`PostgreSQL did not start. port=${port} log=${JSON.stringify(this.#log.slice(-2000))}. ${REMEDY}`);
  }

  async halt(mode = "fast") {
    const child = this.#process;
    if (child === undefined) return;
    child.kill(SIGNALS[mode]);
    await child.exited;
    this.#ended();
  }

  async restart(mode = "fast") {
    await this.halt(mode);
    await this.start();
  }

  async kill() {
    const child = this.#process;
    if (child === undefined) return;
    this.#killTree();
    await child.exited;
    this.#ended();
  }

  async promote() {
    const { bin, account, data, directory } = this.parts;
    await run(join(bin, "pg_ctl"), ["promote", "-D", data, "-w"], { ...account, cwd: directory });
  }

  async stop() {
    await this.halt("immediate");
    rmSync(this.parts.directory, { recursive: true, force: true });
  }

  #ended() {
    process.removeListener("exit", this.#killOnExit);
    this.#process = undefined;
  }

  /** Kills the server and its children, which have process groups of their own. */
  #killTree() {
    const pid = this.#process?.pid;
    if (pid === undefined || this.#process.exitCode !== null) return;
    // Stopped first, so that it starts no others and does not clean up.
    signal(pid, "SIGSTOP");
    const children = childrenOf(pid);
    signal(pid, "SIGKILL");
    for (const child of children) signal(child, "SIGKILL");
  }
}

function childrenOf(pid) {
  try {
    const found = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
    const rows = found.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
    return rows.filter(([, parent]) => parent === pid).map(([child]) => child);
  } catch {
    return [];
  }
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended before.
  }
}

function own(path, { uid, gid }) {
  if (uid !== undefined) chownSync(path, uid, gid);
}

/** Whom the server runs as: the user of this process, or, if that is root, one without rights. */
export function serverAccount() {
  if (process.getuid?.() !== 0) return {};
  for (const user of USERS) {
    try {
      const [uid, gid] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, user], { encoding: "utf8" })));
      return { uid, gid };
    } catch {
      // No such user.
    }
  }
  throw new Error(`PostgreSQL refuses to run as root. users=${USERS.join(",")} found=none. Run this as another user.`);
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
