import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.js";
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
