/**
 * Redis servers for tests: each on a free loopback port with a directory of its own, ended by their process id.
 *
 * The program is looked for in this order: `redis-server` on the PATH, one that this script has unpacked before, Debian's packages, which are downloaded and
 * unpacked without being installed, so that no service is started. `TIDEMARK_REDIS_URL` names a server that runs already: it can be used, and not be stopped.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { Buffer } from "node:buffer";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { URL } from "node:url";
import { capture, root } from "../processes.mjs";

const PACKAGES = ["redis-server", "redis-tools", "libjemalloc2", "liblzf1"];
const unpacked = join(root, "node_modules", ".tidemark-redis");
const startTimeoutMs = 10_000;

let program;

/** How to start a server: its command, and the folder of the libraries that came with it, if they did. */
export function findRedis() {
  program ??= find();
  return program;
}

async function find() {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const command = join(folder, "redis-server");
    if (folder !== "" && existsSync(command)) return { command };
  }
  if (!existsSync(unpacked)) await unpack();
  const command = join(unpacked, "usr", "bin", "redis-server");
  const libraries = join(unpacked, "usr", "lib");
  const folders = [libraries, ...readdirSync(libraries).map((name) => join(libraries, name))];
  return { command, libraryPath: folders.join(delimiter) };
}

async function unpack() {
  mkdirSync(join(root, "node_modules"), { recursive: true });
  const work = mkdtempSync(join(root, "node_modules", ".tidemark-redis-"));
  try {
    let fetched = await capture("apt-get", ["download", ...PACKAGES], { cwd: work });
    if (fetched.code !== 0) {
      const lists = join(work, "lists");
      mkdirSync(join(lists, "partial"), { recursive: true });
      const own = ["-o", `Dir::State::lists=${lists}`, "-o", `Dir::Cache=${work}`];
      await capture("apt-get", [...own, "update"], { cwd: work });
      fetched = await capture("apt-get", [...own, "download", ...PACKAGES], { cwd: work });
    }
    const files = readdirSync(work).filter((name) => name.endsWith(".deb"));
    if (fetched.code !== 0 || files.length < PACKAGES.length) throw missing(fetched.output);
    const target = join(work, "target");
    for (const file of files) {
      const { code, output } = await capture("dpkg-deb", ["-x", join(work, file), target]);
      if (code !== 0) throw missing(output);
    }
    // Another process may have been faster: what it unpacked is the same.
    if (!existsSync(unpacked)) renameSync(target, unpacked);
  } catch (error) {
    if (!existsSync(unpacked)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function missing(output) {
  return new Error(
    `There is no Redis server. ${output.trim().slice(-300)} Install redis-server (Debian: apt-get install redis-server), or name a running one: TIDEMARK_REDIS_URL=redis://host:port.`,
  );
}

/**
 * Starts a server. `options.config` is a list of arguments as in redis.conf (`["--appendonly", "yes"]`); without it nothing is persistent. `options.directory`
 * is that of a server which was stopped, to start it again; `options.port` its port.
 */
export async function startRedis(options = {}) {
  const given = process.env.TIDEMARK_REDIS_URL;
  let found;
  try {
    found = await findRedis();
  } catch (error) {
    if (given === undefined || options.config !== undefined) throw error;
    return { url: given, port: Number(new URL(given).port || 6379), isShared: true, stop: async () => {} };
  }
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), "tidemark-redis-"));
  const server = new RedisServer(found, directory, options);
  await server.start();
  return server;
}

class RedisServer {
  isShared = false;
  #found;
  #config;
  #child;
  #owned;

  constructor(found, directory, { config = ["--save", "", "--appendonly", "no"], port, directory: given }) {
    this.#found = found;
    this.#config = config;
    this.#owned = given === undefined;
    this.directory = directory;
    this.port = port;
  }

  get url() {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid() {
    return this.#child?.pid;
  }

  /** Starts it, or starts it again: in its directory, on its port. */
  async start(config = this.#config) {
    this.#config = config;
    this.port ??= await freePort();
    const { command, libraryPath } = this.#found;
    const env = libraryPath === undefined ? process.env : { ...process.env, LD_LIBRARY_PATH: libraryPath };
    const args = ["--port", `${this.port}`, "--bind", "127.0.0.1", "--dir", this.directory, ...config];
    const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (output += text));
    }
    child.on("error", (error) => (output += error.message));
    this.#child = child;
    const until = performance.now() + startTimeoutMs;
    while (!(await answers(this.port))) {
      if (child.exitCode !== null || child.pid === undefined || performance.now() > until) {
        child.kill("SIGKILL");
        throw new Error(`Redis did not start. port=${this.port} exit=${child.exitCode}\n${output.slice(-2000)}`);
      }
    }
    const atExit = () => child.kill("SIGKILL");
    process.once("exit", atExit);
    child.once("exit", () => process.off("exit", atExit));
  }

  /** Ends it in good order: what its configuration keeps is kept. */
  async shutdown() {
    await this.#end("SIGTERM");
  }

  /** Ends it as a crash would. */
  async kill() {
    await this.#end("SIGKILL");
  }

  pause() {
    this.#child.kill("SIGSTOP");
  }

  resume() {
    this.#child.kill("SIGCONT");
  }

  /** Ends it and removes what it left. */
  async stop() {
    await this.kill();
    if (this.#owned) rmSync(this.directory, { recursive: true, force: true });
  }

  async #end(signal) {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    child.kill("SIGCONT");
    await ended;
  }
}

/** Three masters that share all slots. `nodes` are servers as `startRedis` gives them. */
export async function startRedisCluster({ nodes: count = 3 } = {}) {
  const nodes = [];
  try {
    for (let index = 0; index < count; index++) {
      const config = ["--save", "", "--appendonly", "no", "--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
      nodes.push(await startRedis({ config, port: await freeClusterPort() }));
    }
    for (const [index, { port }] of nodes.entries()) {
      const [first, last] = [index, index + 1].map((each) => Math.floor((each * 16384) / count));
      await command(port, "CLUSTER", "ADDSLOTSRANGE", `${first}`, `${last - 1}`);
      await command(port, "CLUSTER", "SET-CONFIG-EPOCH", `${index + 1}`);
      if (index > 0) await command(port, "CLUSTER", "MEET", "127.0.0.1", `${nodes[0].port}`);
    }
    for (const { port } of nodes) {
      const until = performance.now() + startTimeoutMs;
      for (;;) {
        const info = await command(port, "CLUSTER", "INFO");
        if (info.includes("cluster_state:ok") && info.includes(`cluster_known_nodes:${count}`)) break;
        if (performance.now() > until) throw new Error(`The cluster did not form. port=${port}\n${info}`);
        await setTimeout(50);
      }
    }
  } catch (error) {
    for (const node of nodes) await node.stop();
    throw error;
  }
  return {
    nodes,
    async stop() {
      for (const node of nodes) await node.stop();
    },
  };
}

/** Sends one command, and gives the reply as text. For short replies. */
export function command(port, ...words) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let reply = "";
    socket.setEncoding("utf8").setTimeout(5000, () => socket.destroy(new Error("Redis does not answer.")));
    socket.on("data", (text) => {
      reply += text;
      if (isWhole(reply)) socket.end();
    });
    socket.on("error", reject);
    socket.on("close", () => (reply.startsWith("-") ? reject(new Error(reply.trim())) : resolve(reply)));
    socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`);
  });
}

function isWhole(reply) {
  const end = reply.indexOf("\r\n");
  if (end < 0) return false;
  if (reply[0] !== "$" || reply.startsWith("$-1")) return true;
  return Buffer.byteLength(reply) >= end + 4 + Number(reply.slice(1, end));
}

async function answers(port) {
  try {
    const reply = await command(port, "PING");
    return reply.startsWith("+PONG");
  } catch (error) {
    if (/NOAUTH|WRONGPASS/.test(error.message)) return true;
    await setTimeout(20);
    return false;
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Nodes of a cluster talk on the port that is higher by 10,000. */
async function freeClusterPort() {
  for (;;) {
    const port = await freePort();
    if (port + 10_000 < 65_536) return port;
    const low = 20_000 + (port % 20_000);
    if (!(await answers(low))) return low;
  }
}
