import type { BinaryKey } from "@tidemark/core";
import { expect, it } from "vitest";
import { globOf } from "./glob.js";

it("S5 a pattern stands for the bytes it is made of", () => {
  expect(globOf("\0a*b?[c]\\^-\xff" as BinaryKey).toString("latin1")).toBe("\0a\\*b\\?\\[c\\]\\\\\\^\\-\xff*");
});
