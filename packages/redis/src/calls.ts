/**
 * Commands on their way to a server.
 *
 * Invariants:
 * - Every call ends within the time given: with a reply, or with one of our errors.
 */

import { type Clock, StateBackendError, type Timer } from "@tidemark/core";
import type { Argument, RedisClient, Socket } from "./redis-client.js";
import { asRedisError, replyCode } from "./redis-error.js";
import type { Script } from "./scripts.js";

export class Calls {
  readonly #client: RedisClient;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #isHolding = false;

  constructor(client: RedisClient, clock: Clock, timeoutMs: number) {
    this.#client = client;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** A command that changes nothing. */
  async read(command: string, ...args: Argument[]): Promise<unknown> {
    try {
      return await this.#send(command, args);
    } catch (error) {
      throw asRedisError(error, command, false);
    }
  }

  /** A command that changes something. */
  async write(command: string, ...args: Argument[]): Promise<unknown> {
    try {
      return await this.#send(command, args);
    } catch (error) {
      throw asRedisError(error, command, true);
    }
  }

  /** A script on one key, sent whole if the server does not know it. Gives the words of its reply. */
  async run(
    { name, text, sha }: Script,
    keys: readonly string[],
    args: readonly Argument[],
  ): Promise<readonly Buffer[]> {
    try {
      return (await this.#send("evalsha", [sha, keys.length, ...keys, ...args])) as Buffer[];
    } catch (error) {
      if (replyCode(error) !== "NOSCRIPT") throw asRedisError(error, name, true);
    }
    try {
      return (await this.#send("eval", [text, keys.length, ...keys, ...args])) as Buffer[];
    } catch (error) {
      throw asRedisError(error, name, true);
    }
  }

  #send(command: string, args: Argument[]): Promise<unknown> {
    this.#holdSockets();
    return new Promise((resolve, reject) => {
      const timer: Timer = this.#clock.schedule(
        this.#timeoutMs,
        () => reject(timeoutError(command, this.#timeoutMs)),
        true,
      );
      this.#client.callBuffer(command, args).then(
        (reply) => {
          timer.cancel();
          resolve(reply);
        },
        (error: Error) => {
          timer.cancel();
          reject(error);
        },
      );
    });
  }

  /** What is sent in one go is handed to the system in one piece: a call to the system for each command would cost more than the commands. */
  #holdSockets(): void {
    if (this.#isHolding) return;
    this.#isHolding = true;
    const sockets = socketsOf(this.#client);
    for (const socket of sockets) socket.cork();
    queueMicrotask(() => {
      this.#isHolding = false;
      for (const socket of sockets) socket.uncork();
    });
  }
}

function socketsOf(client: RedisClient): readonly Socket[] {
  const clients = client.nodes?.("master") ?? [client];
  return clients.flatMap(({ stream }) => (typeof stream?.cork === "function" ? [stream] : []));
}

function timeoutError(command: string, timeoutMs: number): StateBackendError {
  return new StateBackendError(
    "UNAVAILABLE",
    `Redis did not answer in time. call=${command} timeoutMs=${timeoutMs}. Check that the server runs and is not overloaded, then try again.`,
    { outcome: "unknown" },
  );
}
