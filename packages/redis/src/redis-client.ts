/** What is used of a client of `ioredis`: a `Redis` or a `Cluster`, of version 5 or 6. */

/** The user owns it: it is neither closed nor configured here. */
export interface RedisClient {
  readonly status: string;
  callBuffer(command: string, args: (string | Buffer | number)[]): Promise<unknown>;
  /** Of a `Redis` that is connected: commands that are sent in one go leave in one piece. */
  readonly stream?: Socket | undefined;
  /** Of a `Cluster`. */
  nodes?(role: "master"): readonly { readonly stream?: Socket | undefined }[];
}

/** What is used of the socket of a client. */
export interface Socket {
  cork(): void;
  uncork(): void;
}

/** A client that was made here, and is ended here. */
export interface OwnRedisClient extends RedisClient {
  disconnect(): void;
}

/** One argument of a command. */
export type Argument = string | Buffer | number;
