import { systemClock } from "@tidemark/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchOf, editOf, logOf } from "../../test/support/log-encoder.js";
import type { Disk } from "../disk.js";
import { ByteCursor, Damage } from "./byte-cursor.js";
import { crc32c, masked } from "./crc32c.js";
import { damageOf } from "./database-files.js";
import { logRecords } from "./log-file.js";
import { snappyDecompressed } from "./snappy.js";

describe("CRC-32C", () => {
  it("gives the values of RFC 3720", () => {
    expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
    expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, index) => index)))).toBe(0x46dd794e);
  });

  it("goes on from a seed, at any place", () => {
    const bytes = Buffer.from("any bytes, and a few more of them");
    for (let at = 0; at <= bytes.length; at++) {
      expect(crc32c(bytes, at, bytes.length, crc32c(bytes, 0, at))).toBe(crc32c(bytes));
    }
  });

  it("is masked as LevelDB does it", () => {
    expect(masked(0)).toBe(0xa282ead8);
    expect(masked(0xffffffff)).toBe(0xa282ead7);
  });
});

describe("numbers", () => {
  it("have no more bytes than they need: other bytes are damage, though they come to the same", () => {
    expect(new ByteCursor(Buffer.of(0)).varint()).toBe(0);
    expect(new ByteCursor(Buffer.of(0x85, 0x01)).varint()).toBe(133);
    for (const bytes of [Buffer.of(0x85, 0), Buffer.of(0x80, 0), Buffer.of(0x85, 0x80, 0), Buffer.of(0x85)]) {
      expect(() => new ByteCursor(bytes).varint()).toThrow(Damage);
    }
  });
});

describe("Snappy", () => {
  it("reads literals and copies, also copies of themselves", () => {
    const compressed = Buffer.from([11, 2 << 2, 97, 98, 99, ((8 - 4) << 2) | 1, 3]);
    expect(snappyDecompressed(compressed).toString()).toBe("abcabcabcab");
    const far = Buffer.from([6, 2 << 2, 97, 98, 99, (2 << 2) | 2, 3, 0]);
    expect(snappyDecompressed(far).toString()).toBe("abcabc");
    const farther = Buffer.from([6, 2 << 2, 97, 98, 99, (2 << 2) | 3, 3, 0, 0, 0]);
    expect(snappyDecompressed(farther).toString()).toBe("abcabc");
  });

  it("reads long literals", () => {
    const text = Buffer.alloc(300, "long");
    expect(snappyDecompressed(Buffer.concat([Buffer.from([0xac, 2, 61 << 2, 43, 1]), text]))).toEqual(text);
  });

  it("refuses everything else", () => {
    const bad = [
      [],
      [1],
      [5, 0, 97],
      [1, 4, 97, 98],
      [4, 0, 97, 1, 2],
      [4, 0, 97, 1, 0],
      [255, 255, 255, 255, 127, 0, 97],
    ];
    for (const bytes of bad) expect(() => snappyDecompressed(Buffer.from(bytes)), String(bytes)).toThrow(Damage);
  });
});

describe("logs", () => {
  const anyRecords = fc.array(
    fc
      .oneof(fc.nat({ max: 40 }), fc.integer({ min: 32_740, max: 32_790 }), fc.nat({ max: 100_000 }))
      .map((length) => Buffer.alloc(length, `${length} `)),
    { minLength: 1, maxLength: 6 },
  );

  it("are read as they were written", () => {
    fc.assert(
      fc.property(anyRecords, (records) => {
        const { records: found, isCut } = logRecords(logOf(records));
        expect(isCut).toBe(false);
        expect(textsOf(found)).toEqual(textsOf(records));
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it("that are cut or changed give a prefix, or are refused", () => {
    fc.assert(
      fc.property(anyRecords, fc.nat(), fc.nat({ max: 7 }), fc.boolean(), (records, place, bit, isCut) => {
        const log = logOf(records);
        const at = place % log.length;
        const damaged = isCut ? log.subarray(0, at) : Buffer.from(log);
        if (!isCut) damaged[at] = (damaged[at] as number) ^ (1 << bit);
        const found = recordsOrDamage(damaged);
        if (found === undefined) expect(isCut).toBe(false);
        else expect(textsOf(found)).toEqual(textsOf(records.slice(0, found.length)));
      }),
      { numRuns: 400, seed: 1 },
    );
  });
});

function textsOf(records: readonly Buffer[]): readonly string[] {
  return records.map((record) => record.toString());
}

function recordsOrDamage(log: Buffer): readonly Buffer[] | undefined {
  try {
    return logRecords(log).records;
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    return undefined;
  }
}

describe("a database", () => {
  /** Log 4 is the oldest that is not in tables; when that was written the last write was number 20. */
  const manifest = logOf([editOf([1, 0]), editOf([2, 4], [9, 0], [3, 9], [4, 20])]);
  const sound: Readonly<Record<string, Buffer>> = {
    CURRENT: Buffer.from("MANIFEST-000003\n"),
    "MANIFEST-000003": manifest,
    "000002.log": Buffer.from("older than the manifest, and not read"),
    "000004.log": logOf([batchOf(15, 6), batchOf(21, 4)]),
    "000006.log": logOf([batchOf(25, 1), batchOf(26, 0), batchOf(26, 2)]),
  };

  async function judge(changes: Readonly<Record<string, Buffer | undefined>>): Promise<string | undefined> {
    const files = new Map<string, Buffer>();
    for (const [name, bytes] of Object.entries({ ...sound, ...changes })) {
      if (bytes !== undefined) files.set(name, bytes);
    }
    const disk: Pick<Disk, "read" | "sizes"> = {
      async read(path) {
        const bytes = files.get(path.split(/[/\\]/).at(-1) as string);
        if (bytes === undefined) throw Object.assign(new Error("No such file."), { code: "ENOENT" });
        return bytes;
      },
      sizes: async () => new Map([...files].map(([name, { length }]) => [name, length])),
    };
    return damageOf("/data", "everything", disk, systemClock);
  }

  it.each([
    ["as it is", {}, undefined],
    ["without its newest log", { "000006.log": undefined }, undefined],
    ["whose newest log is cut", { "000006.log": (sound["000006.log"] as Buffer).subarray(0, 30) }, undefined],
    ["without its oldest log", { "000004.log": undefined }, "file=000004.log is missing"],
    [
      "whose oldest log is cut",
      { "000004.log": logOf([batchOf(15, 6)]) },
      "file=000006.log: writes are missing from a log",
    ],
    ["whose oldest log is empty", { "000004.log": Buffer.alloc(0) }, "file=000006.log: writes are missing from a log"],
    [
      "whose log begins late",
      { "000004.log": logOf([batchOf(22, 3)]) },
      "file=000004.log: writes are missing from a log",
    ],
    ["with a write twice", { "000006.log": logOf([batchOf(24, 1)]) }, "file=000006.log: writes are missing from a log"],
    [
      "with a short batch",
      { "000006.log": logOf([Buffer.from("short")]) },
      "file=000006.log: a log record is too short",
    ],
    ["without a manifest", { "MANIFEST-000003": undefined }, "file=MANIFEST-000003 is missing"],
    [
      "with an empty manifest",
      { "MANIFEST-000003": Buffer.alloc(0) },
      "file=MANIFEST-000003: the manifest names no log",
    ],
    [
      "with a cut manifest",
      { "MANIFEST-000003": manifest.subarray(0, -1) },
      "file=MANIFEST-000003: the manifest is cut short",
    ],
    [
      "with an unknown edit",
      { "MANIFEST-000003": logOf([editOf([8, 1])]) },
      "file=MANIFEST-000003: the manifest has an edit of no known kind",
    ],
    ["with half an edit", { "MANIFEST-000003": logOf([editOf([2])]) }, "file=MANIFEST-000003: a record is cut short"],
    [
      "that names a table",
      { "MANIFEST-000003": logOf([editOf([2, 4], [7, 0, 5, 100, 0, 0])]) },
      "file=000005.ldb is missing",
    ],
    ["without CURRENT", { CURRENT: undefined }, "file=CURRENT is missing"],
    [
      "whose CURRENT points elsewhere",
      { CURRENT: Buffer.from("../../MANIFEST-000003\n") },
      "file=CURRENT names no manifest",
    ],
  ] as const)("%s", async (_what, changes, damage) => {
    expect(await judge(changes)).toBe(damage);
  });
});
