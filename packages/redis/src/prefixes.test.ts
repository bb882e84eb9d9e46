import type { BinaryKey } from "@tidemark/core";
import { describe, expect, it } from "vitest";
import { Prefixes } from "./prefixes.js";

const keys = (...texts: readonly string[]): BinaryKey[] => texts as BinaryKey[];

describe("prefixes", () => {
  it("S5 finds what begins with any of them, however they begin", () => {
    const texts = ["", "a", "aa", "ab", "aba", "b", "\xff", "a\xff", "a\0"];
    for (const first of texts) {
      for (const second of texts) {
        const prefixes = new Prefixes(keys(first, second));
        for (const key of keys(...texts, "abz", "c", "\xff\xff")) {
          expect(prefixes.has(key)).toBe(key.startsWith(first) || key.startsWith(second));
        }
      }
    }
  });

  it("S5 of one alone says so", () => {
    expect(new Prefixes(keys("a", "ab", "a")).only).toBe("a");
    expect(new Prefixes(keys("a", "b")).only).toBeUndefined();
    expect(new Prefixes([]).has("a" as BinaryKey)).toBe(false);
  });
});
