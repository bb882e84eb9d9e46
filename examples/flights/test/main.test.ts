/** The command as a whole: killed and restored on every backend, and caught when a restore is wrong. */

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import pg from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import { expectedState } from "../src/expected-state.js";
import { digestState } from "../src/state-digest.js";
import { type Finished, pathOf, runMain } from "./command.js";
import { startPostgres, startRedis } from "./servers.js";

const EVENTS = 40_000;
const KILLED = "killed the process with SIGKILL";
const size = ["--events", String(EVENTS)];

interface Kill {
  readonly position: number;
  readonly restoredFrom: number;
  readonly restoredPosition: number;
}

interface Checkpoint {
  readonly id: number;
  readonly position: number;
  readonly fullBytes: number;
  readonly incrementalBytes: number;
  readonly syncPauseMs: number;
  readonly durationMs: number;
}

interface Document {
  readonly backend: string;
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly kills: number;
  readonly restoredFrom: readonly number[];
  readonly checkpoints: readonly Checkpoint[];
  readonly digest: string;
  readonly expectedDigest: string;
  readonly match: boolean;
  readonly differs: readonly string[];
  readonly killed: readonly Kill[];
  readonly eventsRepeated: number;
  readonly readFrom: number;
}

let reference: string;
let dailyReference: string;

beforeAll(async () => {
  ({ digest: reference } = digestState(await expectedState({ events: EVENTS, daily: false })));
  ({ digest: dailyReference } = digestState(await expectedState({ events: EVENTS, daily: true })));
});

function documentOf({ stdout }: Finished): Document {
  return JSON.parse(stdout) as Document;
}

function lastLineOf({ stdout }: Finished): string | undefined {
  return stdout.trimEnd().split("\n").at(-1);
}

async function leftOn(url: string): Promise<{ readonly keys: number; readonly wasUsed: boolean }> {
  const client = new Redis(url);
  try {
    const used = await client.info("commandstats");
    return { keys: await client.dbsize(), wasUsed: used.includes("cmdstat_evalsha:") };
  } finally {
    client.disconnect();
  }
}

function withWorker(worker: string, args: readonly string[]): Promise<Finished> {
  return runMain([pathOf(`./${worker}`), ...args], { script: pathOf("./main-with-worker.mjs") });
}

describe("--json", () => {
  test.each([
    { name: "lsm by default", args: [], backend: "lsm", isDaily: false, kills: 2, how: KILLED },
    { name: "lsm in 16 MiB", args: ["--memory", "16mb"], backend: "lsm", isDaily: true, kills: 2, how: KILLED },
    {
      name: "filesystem",
      args: ["--backend", "filesystem"],
      backend: "filesystem",
      isDaily: false,
      kills: 2,
      how: KILLED,
    },
    { name: "redis", args: ["--backend", "redis"], backend: "redis", isDaily: false, kills: 2, how: KILLED },
    {
      name: "redis with more rows",
      args: ["--backend", "redis", "--daily"],
      backend: "redis",
      isDaily: true,
      kills: 1,
      how: KILLED,
    },
    {
      name: "postgres",
      args: ["--backend", "postgres"],
      backend: "postgres",
      isDaily: false,
      kills: 2,
      how: KILLED,
    },
    {
      name: "memory",
      args: ["--backend", "memory", "--daily"],
      backend: "memory",
      isDaily: true,
      kills: 3,
      how: "abandoned the task",
    },
  ])("$name: $kills kills leave the state of a run without any", async ({ args, backend, isDaily, kills, how }) => {
    const isBounded = args.includes("--memory");
    const run = await runMain([...size, ...args, "--kills", String(kills), "--json"]);
    expect(run.stderr).toContain(how);
    expect(run.code).toBe(0);
    expect(run.leftovers).toEqual([]);

    const document = documentOf(run);
    expect(document).toMatchObject({ backend, events: EVENTS, kills, match: true, differs: [] });
    expect(document.digest).toBe(isDaily ? dailyReference : reference);
    expect(document.expectedDigest).toBe(document.digest);
    expect(document.eventsPerSecond).toBeGreaterThan(0);

    expect(document.restoredFrom).toHaveLength(kills);
    expect(document.killed.map(({ restoredFrom }) => restoredFrom)).toEqual(document.restoredFrom);
    const positions = new Map(document.checkpoints.map(({ id, position }) => [id, position]));
    for (const { position, restoredFrom, restoredPosition } of document.killed) {
      expect(positions.get(restoredFrom)).toBe(restoredPosition);
      expect(restoredPosition).toBeGreaterThanOrEqual(EVENTS / 4);
      expect(restoredPosition).toBeLessThanOrEqual(position);
    }

    // Else every kill came when all was done, and nothing has been shown.
    expect(document.eventsRepeated).toBeGreaterThan(0);

    const last = document.checkpoints.at(-1);
    expect(last).toMatchObject({ id: document.readFrom, position: EVENTS });
    const asked = [1, 2, 3, 4].map((quarter) => (quarter * EVENTS) / 4);
    if (isBounded) {
      // One that memory makes necessary may hold one up that was asked for, or be what was restored.
      for (const due of asked) expect(document.checkpoints.some(({ position }) => position >= due)).toBe(true);
    } else expect(document.checkpoints.map(({ position }) => position)).toEqual(asked);
  });
});

describe("for a person", () => {
  test("kills as they happen, the tables, and the verdict last; the checkpoints stay where they were asked to be", async () => {
    const directory = await mkdtemp(join(tmpdir(), "flights-test-"));
    try {
      const run = await runMain([...size, "--kills", "1", "--seed", "7", "--directory", directory]);
      expect(run.code).toBe(0);
      expect(run.stdout).toMatch(/kill 1 of 1: killed the process with SIGKILL at flight [\d,]+/);
      expect(run.stdout).toMatch(/restored checkpoint \d+: continues at flight [\d,]+/);
      expect(run.stdout).toContain("│ ORD ");
      expect(run.stdout).toMatch(/after kill 1/);
      expect(lastLineOf(run)).toBe(`exactly-once: match ${reference}`);
      expect(await readdir(directory)).not.toEqual([]);

      const again = await runMain([...size, "--directory", directory]);
      expect(again.code).toBe(2);
      expect(again.stderr).toMatch(/^The directory is not empty\. .* Name an empty or a new one\.\n$/);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  test("an interrupted run stops its processes and cleans up", async () => {
    const run = await runMain(["--events", "600000", "--kills", "0"], { signal: "SIGTERM" });
    expect(run).toMatchObject({ code: 1, stderr: "Interrupted. signal=SIGTERM.\n", leftovers: [] });
  });

  test("a wrong call is one line with a remedy, and exit code 2", async () => {
    const run = await runMain(["--backend", "tape"]);
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toMatch(/'tape' is invalid\. Choose one of: lsm, filesystem, redis, postgres, memory\.\n$/);
  });
});

describe("a server", () => {
  test("one that runs already is used, goes on, and keeps nothing of the run", async () => {
    const server = await startRedis({ config: ["--save", "", "--requirepass", "canary"] });
    try {
      const url = server.url.replace("//", "//:canary@");
      const run = await runMain([...size, "--backend", "redis", "--kills", "1"], { env: { TIDEMARK_REDIS_URL: url } });
      expect(run).toMatchObject({ code: 0, stderr: "", leftovers: [] });
      expect(lastLineOf(run)).toBe(`exactly-once: match ${reference}`);
      expect(run.stdout).not.toContain("canary");
      expect(await leftOn(url)).toEqual({ keys: 0, wasUsed: true });
    } finally {
      await server.stop();
    }
  });

  test("one of PostgreSQL that runs already is used, goes on, and keeps nothing of the run", async () => {
    const server = await startPostgres();
    const client = new pg.Client(server.url);
    try {
      const run = await runMain([...size, "--backend", "postgres", "--kills", "1", "--url", server.url]);
      expect(run).toMatchObject({ code: 0, stderr: "", leftovers: [] });
      expect(lastLineOf(run)).toBe(`exactly-once: match ${reference}`);
      await client.connect();
      const left = await client.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'flights%'");
      expect(left.rows).toEqual([]);
      const { rows } = await client.query<{ written: string }>(
        "SELECT sum(xact_commit) AS written FROM pg_stat_database",
      );
      expect(Number(rows[0]?.written)).toBeGreaterThan(10);
    } finally {
      await client.end();
      await server.stop();
    }
  });

  test.each(["redis", "postgres"])("one of the run's own is ended when the run is interrupted: %s", async (backend) => {
    const run = await runMain(["--events", "600000", "--backend", backend], { signal: "SIGTERM" });
    expect(run).toMatchObject({ code: 1, stderr: "Interrupted. signal=SIGTERM.\n", leftovers: [] });
  });

  test("one of the run's own is ended when the job fails", async () => {
    const run = await withWorker("failing-worker.mjs", [...size, "--backend", "redis", "--json"]);
    expect(run).toMatchObject({ code: 1, stdout: "", leftovers: [] });
    expect(run.stderr).toMatch(/The disk is on fire\.\n$/);
  });

  test("one that is not there is an error that does not show the password", async () => {
    const run = await runMain([...size, "--backend", "redis", "--url", "redis://:canary@127.0.0.1:1"]);
    expect(run).toMatchObject({ code: 1, leftovers: [] });
    expect(run.stderr).toMatch(/Redis/);
    expect(run.stderr + run.stdout).not.toContain("canary");
  });
});

describe("what must not pass", () => {
  test("one flight taken twice after a restore is a mismatch", async () => {
    const run = await withWorker("rewinding-worker.mjs", [...size, "--kills", "1"]);
    expect(run.code).toBe(1);
    expect(run.stdout).toContain("differ in: flights, delay, destinations");
    expect(lastLineOf(run)).toBe("exactly-once: MISMATCH");
  });

  test("a mismatch is one in JSON too", async () => {
    const run = await withWorker("rewinding-worker.mjs", [...size, "--kills", "1", "--backend", "memory", "--json"]);
    expect(run.code).toBe(1);
    expect(documentOf(run)).toMatchObject({ kills: 1, match: false, expectedDigest: reference });
    expect(documentOf(run).digest).not.toBe(reference);
  });

  test("a job that fails is no match", async () => {
    const run = await withWorker("failing-worker.mjs", [...size, "--json"]);
    expect(run).toMatchObject({ code: 1, stdout: "", leftovers: [] });
    expect(run.stderr).toMatch(/The disk is on fire\.\n$/);
  });

  test("a process that dies of something else is not counted as a kill", async () => {
    const run = await withWorker("dying-worker.mjs", [...size, "--kills", "0"]);
    expect(run.code).toBe(1);
    expect(run.stderr).toBe("The job ended without a result. attempt=1 signal=SIGKILL.\n");
  });
});
