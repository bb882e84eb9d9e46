/** What a failure shows of generated programs. */

import { expect, it } from "vitest";
import { verify } from "../src/runner/verify.js";
import { brokenHarness } from "./support/broken-harness.js";

it("a program of commands has a line for each command that ran, and replays to the same", async () => {
  const harness = brokenHarness("loses a manifest now and then");
  const only = ["any-history"];
  const failureOf = async (path?: string) => {
    const { laws } = await verify(harness, { only, ...(path === undefined ? {} : { path }) });
    return laws.find(({ id }) => id === "any-history")?.failure;
  };
  const failure = await failureOf();
  expect(failure?.program.length).toBeLessThanOrEqual(6);
  expect(failure?.program.join("\n")).toMatch(/^checkpoint/m);
  const again = await failureOf(failure?.path);
  expect(again?.program).toEqual(failure?.program);
}, 120_000);
