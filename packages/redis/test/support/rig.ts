/** A server, stores on it, and what a new owner finds there. */

import { memoryStorage, type Store } from "@tidemark/core";
import { redis, type RedisOptions } from "../../src/index.js";
import { deltaOf, fenceOf, markOf, SCOPE } from "./history.js";
import { type RedisServer, startRedis } from "./servers.js";

export const PERSISTENT = [
  "--save",
  "",
  "--appendonly",
  "yes",
  "--appendfsync",
  "always",
  "--aof-use-rdb-preamble",
  "no",
];

export class Rig {
  readonly server: RedisServer;
  readonly #stores: Store[] = [];
  #epochs = 0;

  private constructor(server: RedisServer) {
    this.server = server;
  }

  static async start(config: readonly string[] = PERSISTENT): Promise<Rig> {
    return new Rig(await startRedis({ config }));
  }

  create(options: Partial<RedisOptions> = {}): Store {
    const source = options.client === undefined ? { url: this.server.url } : {};
    const { store } = redis({ ...source, timeoutMs: 2_000, checkpoints: memoryStorage(), ...options });
    const created = store.create();
    this.#stores.push(created);
    return created;
  }

  /** A store at checkpoint `id`. */
  async storeAt(id: number, options?: Partial<RedisOptions>): Promise<Store> {
    const store = this.create(options);
    await store.open(SCOPE, fenceOf(++this.#epochs));
    for (let each = 1; each <= id; each++) await store.apply(markOf(each), deltaOf(each));
    return store;
  }

  async stop(): Promise<void> {
    this.server.resume();
    for (const store of this.#stores) await store.close();
    await this.server.stop();
  }
}

export function refusal(code: string): object {
  return {
    code: "UNAVAILABLE",
    retryable: true,
    outcome: "not-applied",
    message: expectedIn(`code=${code}`),
  };
}

function expectedIn(text: string): unknown {
  return {
    asymmetricMatch: (found: unknown) => typeof found === "string" && found.includes(text),
    toString: () => text,
  };
}
