/**
 * Checkpoints in Redis, for those who have nothing else: an object is a string, and a sorted set holds their names. All of them are in one slot.
 *
 * An object comes to be in parts under a key of its own, with a time to live, until one script gives it its name. What a dead process left goes by itself.
 *
 * @see docs/formats.md#redis
 */

import {
  type ByteRange,
  type CheckpointStorage,
  partsOfObjectName,
  partsOfObjectPrefix,
  type PutOptions,
  type PutOutcome,
  quoted,
  StateBackendError,
  type StoredObject,
  systemRandom,
} from "@tidemark/core";
import type { Calls } from "./calls.js";
import { type Connection, connect } from "./connection.js";
import { APPEND, PUBLISH, READ, REMOVE } from "./object-scripts.js";
import { type CommonSettings, commonSettings, type RedisCommonOptions } from "./options.js";
import { type DurabilityClass, readServerFacts, refuseEviction, type ServerFacts } from "./server-facts.js";
import { Underway } from "./underway.js";
import { textOf } from "./reply-text.js";

/** The most that Redis keeps in a string. */
const OBJECT_BYTES_MAX = 512 * 1024 * 1024;
const PART_BYTES = 1024 * 1024;
const PART_LIFE_MS = 3_600_000;
const LIST_NAMES = 500;
/** Answers of `PUBLISH` behind which no parts are left. */
const DONE: ReadonlySet<string> = new Set(["CREATED", "EXISTS", "OTHER"]);

export interface RedisCheckpointsOptions extends RedisCommonOptions {
  /**
   * Refuses a server that promises less: `process` if what was acknowledged must outlive the server process, `host` if it must outlive the loss of power. A
   * server that does not say is refused too. @defaultValue `none`: whatever the server does
   */
  readonly durability?: Exclude<DurabilityClass, "unknown">;
  /**
   * So many replicas must have what was put before that resolves (`WAIT`), so that a failover to one of them does not lose it. Not on a cluster, where nobody
   * can ask for them. @defaultValue 0
   */
  readonly replicas?: number;
}

/** A storage that can say how durable it is. */
export interface RedisCheckpoints extends CheckpointStorage {
  /** What the server says now. */
  serverFacts(): Promise<ServerFacts>;
}

/**
 * Checkpoints in Redis. A directory is a better place: Redis keeps all of them in memory, and loses them with it unless it writes them down.
 * @throws {TypeError} for an unknown option, or not exactly one of `client` and `url`
 */
export function redisCheckpoints(options: RedisCheckpointsOptions): RedisCheckpoints {
  const settings = commonSettings(options, ["durability", "replicas"]);
  const { durability = "none", replicas = 0, client } = options;
  if (!Object.hasOwn(RANKS, durability)) {
    throw new TypeError("There is no such durability. expected=none, process or host.");
  }
  if (!Number.isSafeInteger(replicas) || replicas < 0) {
    throw new RangeError(`The number of replicas is none. replicas=${String(replicas)} expected=0 or more.`);
  }
  if (replicas > 0 && client?.nodes !== undefined) {
    throw new TypeError("A cluster cannot be asked for replicas. Leave replicas out, and see min-replicas-to-write.");
  }
  return new RedisCheckpointStorage(settings, { durability, replicas });
}

const RANKS: Readonly<Record<DurabilityClass, number>> = { unknown: 0, none: 0, process: 1, host: 2 };

interface Asked {
  readonly durability: DurabilityClass;
  readonly replicas: number;
}

class RedisCheckpointStorage implements RedisCheckpoints {
  readonly #settings: CommonSettings;
  readonly #asked: Asked;
  readonly #root: string;
  readonly #underway = new Underway();
  #connection: Promise<Connection> | undefined;

  constructor(settings: CommonSettings, asked: Asked) {
    this.#settings = settings;
    this.#asked = asked;
    this.#root = `${settings.prefix}{checkpoints}:`;
  }

  serverFacts(): Promise<ServerFacts> {
    return this.#underway.run(async () => readServerFacts(await this.#calls()));
  }

  async put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutOutcome> {
    partsOfObjectName(name);
    return this.#underway.run(() => this.#put(name, body, options?.ifAbsent === true));
  }

  async *get(name: string, range?: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
    partsOfObjectName(name);
    if (range !== undefined) requireRange(range);
    const start = range?.start ?? 0;
    const first = await this.#underway.run(() => this.#read(name, start, range?.end));
    const end = range?.end ?? first.length;
    if (end > first.length) throw shortError(name, end, first.length);
    if (first.part.length > 0) yield first.part;
    for (let at = start + first.part.length; at < end; at += PART_BYTES) {
      const { part } = await this.#underway.run(() => this.#read(name, at, end));
      const expected = Math.min(PART_BYTES, end - at);
      if (part.length !== expected) throw shortError(name, at + expected, at + part.length);
      yield part;
    }
  }

  async *list(prefix: string): AsyncGenerator<StoredObject, void, undefined> {
    partsOfObjectPrefix(prefix);
    let from = `[${prefix}`;
    for (;;) {
      const objects = await this.#underway.run(() => this.#listFrom(from, prefix));
      yield* objects;
      const last = objects.at(-1);
      if (last === undefined || objects.length < LIST_NAMES) return;
      from = `(${last.name}`;
    }
  }

  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) partsOfObjectName(name);
    return this.#underway.run(async () => {
      const calls = await this.#calls();
      for (const name of names) await calls.run(REMOVE, [this.#names, this.#object(name)], [name]);
    });
  }

  async close(): Promise<void> {
    await this.#underway.close();
    const connection = await this.#connection?.catch(() => undefined);
    connection?.release();
  }

  get #names(): string {
    return `${this.#root}names`;
  }

  #object(name: string): string {
    return `${this.#root}o:${name}`;
  }

  async #put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, ifAbsent: boolean): Promise<PutOutcome> {
    const calls = await this.#calls();
    const parts = `${this.#root}p:${Buffer.from(systemRandom.bytes(16)).toString("hex")}`;
    let length = 0;
    try {
      for await (const part of partsOf(body)) {
        if (length + part.length > OBJECT_BYTES_MAX) throw tooLargeError(name);
        await append(calls, parts, length, part);
        length += part.length;
      }
    } catch (error) {
      await calls.write("unlink", parts).catch(() => undefined);
      throw error;
    }
    const keys = [this.#names, this.#object(name), parts];
    const [status] = await calls.run(PUBLISH, keys, [length, ifAbsent ? "1" : "0", name, ...namesAbove(name)]);
    if (!DONE.has(textOf(status))) await calls.write("unlink", parts).catch(() => undefined);
    switch (textOf(status)) {
      case "CREATED":
        await this.#replicate(calls, name, length);
        return "created";
      case "EXISTS":
        await this.#replicate(calls, name, length);
        return "exists";
      case "OTHER":
        throw corruptError(name, "there is an object of other content under this name");
      case "GONE":
        throw corruptError(name, "the object was removed by someone else, its name was not");
      case "CONTINUES":
        throw new RangeError(`Object name refused. name=${quoted(name)}. No name may continue another.`);
      case "FOREIGN":
        throw corruptError(name, "the list of names holds something else");
      default:
        throw partsLostError(name);
    }
  }

  /** Waits until enough replicas have the object. */
  async #replicate(calls: Calls, name: string, length: number): Promise<void> {
    const { replicas } = this.#asked;
    if (replicas === 0) return;
    const { timeoutMs } = this.#settings.timing;
    // In one turn, so that they go the same way: the wait is for what this connection has written, and it has written nothing if it is a new one. A
    // server that took over meanwhile may not have the object.
    const [found, , reached] = await Promise.all([
      calls.read("strlen", this.#object(name)),
      calls.write("set", `${this.#root}written`, name),
      calls.read("wait", replicas, Math.ceil(timeoutMs / 2)),
    ]);
    if (Number(found) !== length || Number(reached) < replicas) throw replicasError(name, Number(reached), replicas);
  }

  /** A part from `start` on, that ends at `end` at the latest, and the length of the whole at this moment. */
  async #read(name: string, start: number, end?: number): Promise<{ readonly length: number; readonly part: Buffer }> {
    const last = Math.min(end ?? Number.POSITIVE_INFINITY, start + PART_BYTES) - 1;
    const calls = await this.#calls();
    // Of an empty range Redis would give the last byte: then there is no part.
    const reply = await calls.run(READ, [this.#object(name)], [start, Math.max(start, last)]);
    const [status, length, part = Buffer.alloc(0)] = reply;
    if (textOf(status) === "THERE") {
      return { length: Number(textOf(length)), part: last < start ? Buffer.alloc(0) : part };
    }
    throw new StateBackendError(
      "CHECKPOINT_NOT_FOUND",
      `There is no such object. name=${quoted(name)}. Check the prefix, and whether the server has lost its data.`,
    );
  }

  /** The next names from `from` on, with their lengths; removed ones are passed over only if the list has them no more. */
  async #listFrom(from: string, prefix: string): Promise<readonly StoredObject[]> {
    const calls = await this.#calls();
    const limit = ["LIMIT", 0, LIST_NAMES];
    const end = prefix === "" ? "+" : `(${prefix.slice(0, -1)}0`;
    const names = (await calls.read("zrangebylex", this.#names, from, end, ...limit)) as Buffer[];
    return Promise.all(
      names.map(async (each) => {
        const name = textOf(each);
        return { name, bytes: Number(await calls.read("strlen", this.#object(name))) };
      }),
    );
  }

  async #calls(): Promise<Calls> {
    this.#connection ??= this.#open();
    const opening = this.#connection;
    try {
      return (await opening).calls;
    } catch (error) {
      if (this.#connection === opening) this.#connection = undefined;
      throw error;
    }
  }

  async #open(): Promise<Connection> {
    const connection = await connect(this.#settings.source, this.#settings.timing);
    try {
      const facts = await readServerFacts(connection.calls);
      refuseEviction(facts);
      const { durability } = this.#asked;
      if (RANKS[facts.durability] < RANKS[durability]) throw durabilityError(facts, durability);
      return connection;
    } catch (error) {
      connection.release();
      throw error;
    }
  }
}

async function append(calls: Calls, key: string, length: number, part: Uint8Array): Promise<void> {
  const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  const [status] = await calls.run(APPEND, [key], [length, bytes, PART_LIFE_MS]);
  if (textOf(status) !== "DONE") throw partsLostError(key);
}

/** Of at most `PART_BYTES` each, none of them empty. */
async function* partsOf(body: Uint8Array | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = body instanceof Uint8Array ? [body] : body;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += PART_BYTES) yield chunk.subarray(at, at + PART_BYTES);
  }
}

/** `a` and `a/b` of `a/b/c`. */
function namesAbove(name: string): readonly string[] {
  const parts = partsOfObjectName(name);
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

function requireRange({ start, end }: ByteRange): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end) return;
  throw new RangeError(`The range is none. start=${String(start)} end=${String(end)} expected=0 <= start <= end.`);
}

function shortError(name: string, expected: number, found: number): StateBackendError {
  return corruptError(name, `it ends too early, bytes=${found} expected=${expected}`);
}

function corruptError(name: string, what: string): StateBackendError {
  return new StateBackendError(
    "CHECKPOINT_CORRUPT",
    `An object in Redis is not what was stored: ${what}. name=${quoted(name)}. Restore another checkpoint.`,
  );
}

function tooLargeError(name: string): StateBackendError {
  return new StateBackendError(
    "LIMIT_EXCEEDED",
    `The object is too large for Redis. name=${quoted(name)} bytesMax=${OBJECT_BYTES_MAX}. Keep checkpoints in a directory.`,
  );
}

function partsLostError(name: string): StateBackendError {
  return new StateBackendError(
    "UNAVAILABLE",
    `Redis has lost what was sent of an object. name=${quoted(name)}. Nothing was stored: try again.`,
  );
}

function replicasError(name: string, reached: number, replicas: number): StateBackendError {
  return new StateBackendError(
    "UNAVAILABLE",
    `Too few replicas have what was stored. name=${quoted(name)} replicas=${reached} expected=${replicas}. ` +
      "Look at the replicas, then try again.",
    { outcome: "unknown" },
  );
}

function durabilityError({ durability }: ServerFacts, expected: DurabilityClass): StateBackendError {
  return new StateBackendError(
    "UNAVAILABLE",
    `This Redis promises less than is asked for. durability=${durability} expected=${expected}. ` +
      "Set appendonly to yes, and appendfsync to always for durability=host.",
  );
}
