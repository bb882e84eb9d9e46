/**
 * Commands on their way to a server.
 *
 * Invariants:
 * - Every call ends within the time given: with a reply, or with one of our errors.
 */

import { type Clock, StateBackendError, type Timer } from "@tidemark/core";
import type { Argument, RedisClient } from "./redis-client.js";
import { asRedisError, replyCode } from "./redis-error.js";
import type { Script } from "./scripts.js";

export class Calls {
  readonly #client: RedisClient;
  readonly #clock: Clock;
  readonly #timeoutMs: number;

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

  async #send(command: string, args: Argument[]): Promise<unknown> {
    let timer: Timer | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = this.#clock.schedule(this.#timeoutMs, () => reject(timeoutError(command, this.#timeoutMs)), true);
    });
    try {
      return await Promise.race([this.#client.callBuffer(command, args), late]);
    } finally {
      timer?.cancel();
    }
  }
}

function timeoutError(command: string, timeoutMs: number): StateBackendError {
  return new StateBackendError(
    "UNAVAILABLE",
    `Redis did not answer in time. call=${command} timeoutMs=${timeoutMs}. Check that the server runs and is not overloaded, then try again.`,
    { outcome: "unknown" },
  );
}
