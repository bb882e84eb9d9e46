/** Results that are written with checkpoints of jobs: with kills, two owners, and commits whose answer is lost. */

import { defineOperator, openTask, string, value } from "@tidemark/core";
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { postgres, postgresStorage, type PostgresTransaction } from "../src/index.js";
import { Child } from "./support/child.js";
import { CommitProxy, type Harm } from "./support/commit-proxy.js";
import { TestServer } from "./support/servers.js";

let test: TestServer;
let proxy: CommitProxy;
let schema: string;
beforeAll(async () => {
  test = await TestServer.start();
  proxy = await CommitProxy.start(test.server.port);
}, 60_000);
afterAll(async () => {
  await proxy.stop();
  await test.stop();
});
beforeEach(async () => {
  schema = test.newSchema();
  await test.sql("DROP TABLE IF EXISTS results; CREATE TABLE results (round int PRIMARY KEY, total int)");
});

const ROUNDS = defineOperator("rounds", { key: string(), states: { n: value<number>() } });

function open(url = test.url, schemaName = schema) {
  return openTask(ROUNDS, { job: "results", backend: postgres({ url, schema: schemaName }), retain: 2 });
}

/** Writes a round; `before` comes first, each time that it is done. */
function writing(round: number, before: () => Promise<void> = async () => undefined) {
  return async (client: PostgresTransaction): Promise<void> => {
    await before();
    await client.query("INSERT INTO results VALUES ($1, $2)", [round, round * 20]);
  };
}

async function rounds(): Promise<unknown[]> {
  return (await test.sql("SELECT round FROM results ORDER BY round")).map(({ round }) => round);
}

describe("T150 results", () => {
  it("are written with a checkpoint, by a client of which the types are known", async () => {
    const task = await open();
    task.n.set("k", 1);
    await task.checkpoint({
      async transaction(client) {
        expectTypeOf(client).toEqualTypeOf<PostgresTransaction>();
        const { rows } = await client.query<{ n: number }>("SELECT 1 + $1::int AS n", [1]);
        await client.query("INSERT INTO results VALUES (1, $1)", [rows[0]?.n]);
      },
    });
    await task.stop({ transaction: writing(2) });
    expect(await test.sql("SELECT * FROM results ORDER BY round")).toEqual([
      { round: 1, total: 2 },
      { round: 2, total: 40 },
    ]);
  });

  it("are written also if working state is elsewhere", async () => {
    const checkpoints = postgresStorage({ url: test.url, schema });
    const backend = { name: "memory", sync: true, checkpoints: postgresStorage({ url: test.url }) } as const;
    const task = await openTask(ROUNDS, { job: "results", backend, checkpoints, transaction: writing(1) });
    await task.stop();
    await Promise.all([checkpoints.close(), backend.checkpoints.close()]);
    expect(await rounds()).toEqual([1]);
  });

  it("equal the state after SIGKILL at any moment", { timeout: 120_000 }, async () => {
    let last = 0;
    for (const lines of [1, 2, 5, 3, 1, 4]) {
      const child = Child.start(test.url, schema, "child-results.mjs");
      await child.says(lines);
      await child.kill();
      const task = await open();
      const round = (await task.n.get("k0")) ?? 0;
      await task.close();
      expect(await rounds()).toEqual(Array.from({ length: round }, (_, index) => index + 1));
      expect(round).toBeGreaterThanOrEqual(last);
      last = round;
    }
    expect(last).toBeGreaterThanOrEqual(10);
  });
});

describe("T152 results that the server refuses", () => {
  it("abort the checkpoint with the server's error", async () => {
    const task = await open();
    task.n.set("k", 1);
    await task.checkpoint({ transaction: writing(1) });
    await expect(task.checkpoint({ transaction: writing(1) })).rejects.toMatchObject({ code: "23505" });
    await task.checkpoint({ transaction: writing(2) });
    expect([await rounds(), task.retained]).toEqual([
      [1, 2],
      [1, 3],
    ]);
    await task.close();
  });
});

describe("T153 a commit whose answer is lost", () => {
  it.each<Harm>(["cut before", "cut after", "cut the reply"])("has the results once: %s", async (harm) => {
    const task = await open(proxy.through(test.url));
    task.n.set("k", 1);
    let calls = 0;
    const armed = async (): Promise<void> => {
      if (++calls === 1) void proxy.arm(harm);
    };
    const struck = proxy.struck;
    expect(await task.checkpoint({ transaction: writing(1, armed) })).toMatchObject({ status: "completed" });
    expect([proxy.struck - struck, await rounds()]).toEqual([1, [1]]);
    await task.close();
    const again = await open();
    expect([again.restoredFrom, await again.n.get("k")]).toEqual([1, 1]);
    await again.close();
  });
});

describe("T154 two owners", () => {
  it("write the results of one of them, whoever commits first", { timeout: 60_000 }, async () => {
    const zombie = await open();
    zombie.n.set("k", 1);
    const owner = await open();
    await expect(zombie.checkpoint({ transaction: writing(1) })).rejects.toMatchObject({ code: "FENCED" });
    owner.n.set("k", 2);
    await owner.checkpoint({ transaction: writing(2) });
    expect(await rounds()).toEqual([2]);
    await Promise.allSettled([zombie.close(), owner.close()]);
  });

  it("do not pass each other while one writes", { timeout: 60_000 }, async () => {
    const first = await open();
    first.n.set("k", 1);
    let opening: ReturnType<typeof open> | undefined;
    const taken = async (): Promise<void> => {
      opening ??= open();
      await test.sql("SELECT pg_sleep(0.3)");
    };
    await first.checkpoint({ transaction: writing(1, taken) }).catch(() => undefined);
    const second = await (opening as NonNullable<typeof opening>);
    expect([second.restoredFrom, await second.n.get("k"), await rounds()]).toEqual([1, 1, [1]]);
    await Promise.allSettled([first.close(), second.close()]);
  });

  it("do not wait for one that stands still: it is ended, and has written nothing", { timeout: 60_000 }, async () => {
    const first = await open();
    first.n.set("k", 1);
    let opening: ReturnType<typeof open> | undefined;
    const standing = async (): Promise<void> => {
      opening ??= open();
      await opening;
    };
    const checkpoint = first.checkpoint({ transaction: writing(1, standing) });
    await expect(checkpoint).rejects.toMatchObject({ code: "FENCED" });
    const second = await (opening as NonNullable<typeof opening>);
    expect([second.restoredFrom, await rounds()]).toEqual([undefined, []]);
    await second.checkpoint({ transaction: writing(2) });
    expect(await rounds()).toEqual([2]);
    await Promise.allSettled([first.close(), second.close()]);
  });
});
