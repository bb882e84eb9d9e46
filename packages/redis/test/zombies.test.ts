/** An owner that was stopped, was thought dead, and goes on: a real process, by SIGSTOP and SIGCONT. */

import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineOperator, openTask, splitList, string, value } from "@tidemark/core";
import { directory } from "@tidemark/filesystem";
import { afterEach, beforeEach, expect, it } from "vitest";
import { redis } from "../src/index.js";
import { Rig } from "./support/rig.js";

const counts = defineOperator("counts", {
  key: string(),
  states: { n: value<number>({ default: 0 }), position: splitList<number>() },
});

let rig: Rig;
let path: string;
let owners: ChildProcess[];

beforeEach(async () => {
  rig = await Rig.start();
  path = mkdtempSync(join(tmpdir(), "tidemark-zombies-"));
  owners = [];
});
afterEach(async () => {
  for (const owner of owners) owner.kill("SIGKILL");
  await rig.stop();
  rmSync(path, { recursive: true, force: true });
});

interface Told {
  readonly position?: number;
  readonly code?: string;
}

function startOwner(): ChildProcess {
  const owner = fork(join(import.meta.dirname, "support", "owner.mjs"), [rig.server.url, path]);
  owners.push(owner);
  return owner;
}

function open() {
  return openTask(counts, {
    job: "zombie",
    backend: redis({ url: rig.server.url, checkpoints: directory(path) }),
  });
}

function told(owner: ChildProcess, isIt: (message: Told) => boolean): Promise<Told> {
  const told = new Promise<Told>((resolve, reject) => {
    owner.on("message", (message: Told) => {
      if (isIt(message)) resolve(message);
      else if (message.code !== undefined) reject(new Error(`The owner ended. code=${message.code}`));
    });
    owner.once("exit", (code) => reject(new Error(`The owner has exited, and did not say why. code=${code}`)));
  });
  // It ends after each test, when nobody waits any more.
  told.catch(() => undefined);
  return told;
}

/** What counting up to the position gives. */
function expectedAt(position: number): Map<string, number> {
  const expected = new Map<string, number>();
  for (let record = 0; record < position; record++) {
    const key = `key ${record % 37}`;
    expected.set(key, (expected.get(key) ?? 0) + 1);
  }
  return expected;
}

async function stateOf(task: Awaited<ReturnType<typeof open>>): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const key of task.n.keys()) found.set(key, await task.n.get(key));
  return new Map(
    [...expectedAt(37).keys()].flatMap((key) => (found.has(key) ? [[key, found.get(key) as number]] : [])),
  );
}

it("S2 wherever it was stopped, it is FENCED when it goes on, and changes nothing", { timeout: 60_000 }, async () => {
  for (const delayMs of [0, 3, 7, 12, 20]) {
    const zombie = startOwner();
    const first = await told(zombie, ({ position }) => position !== undefined);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    zombie.kill("SIGSTOP");
    const task = await open();
    const position = task.position.get()[0] ?? 0;
    expect(position).toBeGreaterThanOrEqual(first.position as number);
    expect(await stateOf(task)).toEqual(expectedAt(position));
    const ending = told(zombie, ({ code }) => code !== undefined);
    zombie.kill("SIGCONT");
    expect((await ending).code).toBe("FENCED");
    // What the zombie had in flight came too late: neither the store nor the checkpoints have it.
    expect(await stateOf(task)).toEqual(expectedAt(position));
    await task.checkpoint();
    await task.close();
    const next = await open();
    expect(next.position.get()).toEqual([position]);
    expect(await stateOf(next)).toEqual(expectedAt(position));
    await next.close();
  }
});
