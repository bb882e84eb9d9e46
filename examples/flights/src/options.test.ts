import { describe, expect, test } from "vitest";
import { parseOptions, UsageError } from "./options.js";

describe("parseOptions", () => {
  test("defaults: all flights, two kills, a checkpoint every 250,000", async () => {
    expect(await parseOptions([])).toEqual({
      backend: "lsm",
      memory: undefined,
      events: 3_000_000,
      checkpointEvery: 250_000,
      daily: false,
      kills: 2,
      seed: 2001,
      json: false,
      directory: undefined,
      url: undefined,
    });
  });

  test.each([
    [300_000, 250_000],
    [250_001, 250_000],
    [250_000, 62_500],
    [10, 3],
  ])("%i events have a checkpoint every %i", async (events, checkpointEvery) => {
    expect(await parseOptions(["--events", String(events), "--kills", "1"])).toMatchObject({ events, checkpointEvery });
  });

  test("what has to leave memory has to be large", async () => {
    expect(await parseOptions(["--memory", "16mb"])).toMatchObject({ backend: "lsm", memory: "16mb", daily: true });
  });

  test.each([
    [["--backend", "tape"], "Choose one of: lsm, filesystem, redis, postgres, memory."],
    [["--backend", "toString"], "Choose one of: lsm, filesystem, redis, postgres, memory."],
    [["--events", "0"], "Give events as an integer from 1 to 3000000."],
    [["--events", "1e3"], "Give events as an integer from 1 to 3000000."],
    [["--events", "3000001"], "Give events as an integer from 1 to 3000000."],
    [["--kills", "-1"], "Give kills as an integer from 0 to 1000."],
    [["--seed", "x"], "Give seed as an integer from 0 to 4294967295."],
    [["--seed"], "Run with --help for the options."],
    [["--speed", "9"], "Run with --help for the options."],
    [["more"], "Run with --help for the options."],
    [["--events", "1"], "Give more --events, or at most --kills 0."],
    [["--events", "300000", "--kills", "1000", "--backend", "memory", "--directory", "."], "Leave --directory out."],
    [["--memory", "15mb"], 'Give memory as "16mb", or more.'],
    [["--memory", "0.5"], 'Give memory as "16mb", or more.'],
    [["--memory", "16mb", "--backend", "filesystem"], "Leave --memory out."],
    [["--memory", "16mb", "--backend", "redis"], "Leave --memory out."],
    [["--url", "redis://127.0.0.1"], "Leave --url out."],
    [["--url", "127.0.0.1:6379", "--backend", "redis"], "as redis://host:port or rediss://host:port."],
    [["--url", "redis://127.0.0.1", "--backend", "postgres"], "as postgresql://host:port or postgres://host:port."],
    [["--directory", ".", "--backend", "postgres"], "Leave --directory out."],
    [["--directory", import.meta.dirname], "Name an empty or a new one."],
    [["--directory", import.meta.filename], "Name an empty or a new one."],
  ])("%j is refused in one line that ends with the remedy", async (args, remedy) => {
    const error = await parseOptions(args).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UsageError);
    const { message } = error as UsageError;
    expect(message).not.toContain("\n");
    expect(message.endsWith(remedy)).toBe(true);
  });
});
