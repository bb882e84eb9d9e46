import { expect, test } from "vitest";
import { systemClock } from "./clock.js";

const turnNow = systemClock.turnNow ?? systemClock.now;

test("T43 the time of a turn is the system's at most one turn, and 1,024 calls, ago", async () => {
  for (let round = 0; round < 5; round++) {
    const before = Date.now();
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(turnNow()).toBeGreaterThanOrEqual(before);
    expect(turnNow()).toBeLessThanOrEqual(Date.now());
  }
  const started = turnNow();
  const end = Date.now() + 20;
  while (Date.now() < end);
  for (let call = 0; call <= 1024; call++) turnNow();
  expect(turnNow()).toBeGreaterThanOrEqual(end);
  expect(turnNow()).toBeGreaterThan(started);
});
