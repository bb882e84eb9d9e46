/**
 * A URL as settings of a pool.
 *
 * Invariants:
 * - The URL is never part of an error: it has the password.
 * - Whether a connection is encrypted and to whom is said by `tls` alone, never by the URL: `sslmode` means other things to other versions of `pg`.
 */

import type { PostgresPool } from "./pg-shapes.js";

/** How the server is known. */
export interface PostgresTls {
  /** Certificates in PEM format that the server's is signed by. @defaultValue those that Node trusts */
  readonly ca?: string;
  /** Certificate and key of this client in PEM format, where the server asks for them. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that the server's certificate must have. @defaultValue the host of the URL */
  readonly servername?: string;
}

interface PoolSettings {
  readonly connectionString: string;
  readonly ssl: false | (PostgresTls & { readonly rejectUnauthorized: true });
  readonly max: number;
  readonly connectionTimeoutMillis: number;
  readonly keepAlive: true;
  /** Connections that are idle do not keep the process alive, and are ended after ten seconds. */
  readonly allowExitOnIdle: true;
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[?::1\]?|)$/;

/**
 * @throws {TypeError} if `url` is no URL of PostgreSQL, or says what `tls` has to say
 */
export function poolSettings(
  url: string,
  {
    tls,
    connectionsMax,
    timeoutMs,
  }: { readonly tls: PostgresTls | false | undefined; readonly connectionsMax: number; readonly timeoutMs: number },
): PoolSettings {
  const parsed = parse(url);
  for (const name of parsed.searchParams.keys()) {
    if (!name.toLowerCase().startsWith("ssl")) continue;
    throw new TypeError(
      `The URL says how to encrypt. parameter=${JSON.stringify(name)}. Leave it out, and use the option tls.`,
    );
  }
  const isLocal = LOOPBACK.test(parsed.hostname) && !parsed.searchParams.has("host");
  const isOff = tls === false || (tls === undefined && isLocal);
  return {
    connectionString: url,
    ssl: isOff ? false : { ...tls, rejectUnauthorized: true },
    max: connectionsMax,
    connectionTimeoutMillis: timeoutMs,
    keepAlive: true,
    allowExitOnIdle: true,
  };
}

/** @throws {TypeError} if `pg` is not installed */
export async function makePool(settings: PoolSettings): Promise<PostgresPool> {
  const pg = await import("pg").catch((error: unknown) => {
    throw new TypeError("The package pg is missing. Install it: npm install pg.", { cause: error });
  });
  return new pg.default.Pool(settings);
}

function parse(url: string): URL {
  let parsed: URL | undefined;
  try {
    parsed = new URL(url);
  } catch {
    // The system's error has the URL in it.
  }
  if (parsed !== undefined && /^postgres(ql)?:$/.test(parsed.protocol)) return parsed;
  throw new TypeError(
    "url is no URL of PostgreSQL. expected=postgresql://user:password@host:port/database. It is not shown, as it may hold a password.",
  );
}
