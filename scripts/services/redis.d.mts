/** Types of redis.mjs, for tests. */

export interface RedisOptions {
  readonly config?: readonly string[];
  readonly directory?: string;
  readonly port?: number;
}

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number | undefined;
  readonly directory: string;
  /** Whether it is the user's: it can be used, and not be stopped. */
  readonly isShared: boolean;
  start(config?: readonly string[]): Promise<void>;
  shutdown(): Promise<void>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  stop(): Promise<void>;
}

export function startRedis(options?: RedisOptions): Promise<RedisServer>;
export function startRedisCluster(options?: { readonly nodes?: number }): Promise<RedisCluster>;
export function command(port: number, ...words: readonly string[]): Promise<string>;
