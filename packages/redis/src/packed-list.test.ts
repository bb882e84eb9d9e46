import type { BinaryKey } from "@tidemark/core";
import { expect, it } from "vitest";
import { unsealed } from "./envelope.js";
import { PackedList } from "./packed-list.js";

/** The items, by the format's description. */
function itemsOf(packed: Buffer): Buffer[] {
  expect(packed[0]).toBe(0xdd);
  const items: Buffer[] = [];
  let at = 5;
  while (at < packed.length) {
    const isShort = packed[at] === 0xda;
    expect(isShort || packed[at] === 0xdb).toBe(true);
    const length = isShort ? packed.readUInt16BE(at + 1) : packed.readUInt32BE(at + 1);
    at += isShort ? 3 : 5;
    items.push(packed.subarray(at, at + length));
    at += length;
  }
  expect(at).toBe(packed.length);
  expect(items).toHaveLength(packed.readUInt32BE(1));
  return items;
}

it("S5 keeps fields and sealed values of any length", () => {
  const list = new PackedList();
  const entries = [0, 1, 200, 65_531, 65_532, 200_000, 3].map((length, index) => ({
    key: `\0\x01${"\xff".repeat(index * 50)}` as BinaryKey,
    value: Buffer.alloc(length, index),
  }));
  for (const { key, value } of entries) list.addEntry(key, value);
  expect(list.count).toBe(entries.length * 2);
  const items = itemsOf(list.bytes());
  for (const [index, { key, value }] of entries.entries()) {
    const [field, stored] = items.slice(index * 2) as [Buffer, Buffer];
    expect(field.toString("latin1")).toBe(key);
    expect(unsealed(field, stored)?.equals(value)).toBe(true);
  }
});

it("S5 an empty one is a list", () => {
  expect(itemsOf(new PackedList().bytes())).toEqual([]);
});
