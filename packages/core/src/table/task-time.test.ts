import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.js";
import { TurnClock } from "../../test/support/turn-clock.js";
import { systemClock } from "../clock.js";
import { combinedTime, TaskTime } from "./task-time.js";

test("the time of a task does not go back when its clock does, nor over a restore", () => {
  const clock = new ManualClock();
  clock.advance(50);
  const time = new TaskTime(clock);
  const before = time.processing();
  const restored = new TaskTime(new ManualClock(), time.seen());
  expect(restored.processing()).toBe(before);
});

test("a watermark that goes back, or is no integer, is refused and changes nothing", () => {
  const time = new TaskTime(new ManualClock());
  expect(time.watermark).toBeUndefined();
  expect(time.advance(5)).toBe(true);
  expect(time.advance(5)).toBe(false);
  for (const wrong of [4, 5.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    expect(() => time.advance(wrong)).toThrow(expect.objectContaining({ code: "VALUE_INVALID" }));
  }
  expect(time.seen().watermark).toBe(5);
});

test("of several tasks the highest clock and the lowest watermark count", () => {
  expect(combinedTime([])).toEqual({ processing: 0, watermark: null });
  const a = { processing: 3, watermark: 7 };
  expect(combinedTime([a, { processing: 5, watermark: 6 }])).toEqual({ processing: 5, watermark: 6 });
  expect(combinedTime([a, { processing: 5, watermark: null }])).toEqual({ processing: 5, watermark: null });
});

test("T43 the time of a turn is the system's at most one turn, and 1,024 calls, ago", async () => {
  const time = new TaskTime(systemClock);
  for (let round = 0; round < 5; round++) {
    const before = Date.now();
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(time.processingInTurn()).toBeGreaterThanOrEqual(before);
    expect(time.processingInTurn()).toBeLessThanOrEqual(Date.now());
  }
  const started = time.processingInTurn();
  const end = Date.now() + 20;
  while (Date.now() < end);
  for (let call = 0; call <= 1024; call++) time.processingInTurn();
  expect(time.processingInTurn()).toBeGreaterThanOrEqual(end);
  expect(time.processingInTurn()).toBeGreaterThan(started);
});

test("T43 time stands still for a state until it moves, the turn ends, or its calls are used up", () => {
  const clock = new TurnClock();
  const time = new TaskTime(clock);
  const still = time.standstill();
  const other = time.standstill();
  const letBothStand = (): void => {
    time.processingInTurn();
    time.standStill(still, false);
    time.standStill(other, true);
    expect(still.calls).toBeGreaterThan(0);
    expect(still.calls).toBeLessThanOrEqual(1024);
    expect(other.calls).toBeGreaterThan(0);
  };
  const moves = [
    () => clock.endTurn(),
    () => time.advance(1),
    () => {
      clock.advance(1);
      // The calls of the turn were given away: the clock is asked.
      time.processingInTurn();
    },
    () => {
      clock.advance(1);
      time.processing();
    },
  ];
  for (const move of moves) {
    letBothStand();
    move();
    expect([still.calls, other.calls]).toEqual([0, 0]);
  }
});

test("T43 time does not stand still by a clock that does not know turns", () => {
  const clock = new ManualClock();
  const time = new TaskTime(clock);
  const still = time.standstill();
  const before = time.processingInTurn();
  time.standStill(still, false);
  clock.advance(1);
  expect([still.calls, time.processingInTurn()]).toEqual([0, before + 1]);
});
