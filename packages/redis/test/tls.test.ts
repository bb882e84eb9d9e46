/** A server that encrypts: with a certificate that is trusted, and with one that is not. */

import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { once } from "node:events";
import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RedisClient } from "../src/index.js";
import { contentOf, deltaOf, fenceOf, markOf, SCOPE, stateAt } from "./support/history.js";
import { Rig } from "./support/rig.js";

const fixture = (name: string): string => join(import.meta.dirname, "fixtures", `${name}.pem`);

let rig: Rig;
let port: number;

beforeAll(async () => {
  port = await freePort();
  const files = ["--tls-cert-file", fixture("server-cert"), "--tls-key-file", fixture("server-key")];
  const tls = ["--tls-port", `${port}`, ...files, "--tls-auth-clients", "no", "--requirepass", "canary"];
  rig = await Rig.start(["--save", "", "--appendonly", "no", ...tls]);
});
afterAll(() => rig.stop());

const options = () => ({
  host: "127.0.0.1",
  port,
  password: "canary",
  tls: { ca: readFileSync(fixture("server-cert")) },
});

describe.each([
  { what: "ioredis 6", make: () => new Redis(options()) },
  { what: "ioredis 5", make: () => new Redis5(options()) },
])("$what", ({ make, what }) => {
  it("S3, S5 works with a client that trusts the certificate", async () => {
    const client: RedisClient & { disconnect(): void } = make();
    try {
      const store = rig.create({ client, prefix: `${what.replace(" ", "")}:` });
      await store.open(SCOPE, fenceOf(1));
      await store.apply(markOf(1), deltaOf(1));
      expect(await contentOf(store)).toEqual(stateAt(1));
      await store.close();
    } finally {
      client.disconnect();
    }
  });
});

it("S1 a certificate that nobody has vouched for is UNAVAILABLE, and nothing is sent", async () => {
  const store = rig.create({ url: `rediss://:canary@127.0.0.1:${port}` });
  const error: unknown = await store.open(SCOPE, fenceOf(1)).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: "UNAVAILABLE" });
  expect((error as Error).message).not.toContain("canary");
});

it("S1 a server that does not encrypt is UNAVAILABLE for who asks for it", async () => {
  const store = rig.create({ url: `rediss://:canary@127.0.0.1:${rig.server.port}` });
  await expect(store.open(SCOPE, fenceOf(1))).rejects.toMatchObject({ code: "UNAVAILABLE" });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return (address as { readonly port: number }).port;
}
