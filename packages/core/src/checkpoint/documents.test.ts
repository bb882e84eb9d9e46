import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KeyGroups } from "../key/key-groups.js";
import { decodeManifest, encodeManifest, type Manifest } from "./manifest.js";
import { isSegmentLeaf, JobNames, parseAttempt, parseManifestName, segmentAttempt, segmentLeaf } from "./names.js";
import { sealJson, unsealJson } from "./sealed-json.js";
import { partsOfObjectName } from "../storage/object-name.js";

const FORMAT = { magic: "tidemark-test", version: 3 };
const CORRUPT = { code: "CHECKPOINT_CORRUPT" };
const NONCE = "0123456789abcdef".repeat(2);

function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("Nothing was thrown.");
}

const unseal = (bytes: Uint8Array): unknown => unsealJson(bytes, FORMAT, { name: "name", parse: (json) => json });

describe("a sealed document", () => {
  test("gives back its content", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ maxLength: 3 }).filter((name) => name !== "__proto__"),
          fc.jsonValue(),
        ),
        (content) => {
          const { format, version, ...rest } = { format: "", version: 0, ...content };
          const json = JSON.parse(JSON.stringify(rest)) as object;
          expect(unseal(sealJson(FORMAT, json))).toEqual({ format: FORMAT.magic, version: FORMAT.version, ...json });
          expect([format, version]).toBeDefined();
        },
      ),
    );
  });

  test("with any one bit flipped is refused, or is said to be of another version", () => {
    const sealed = sealJson(FORMAT, { text: "ä", list: [1] });
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const damaged = Buffer.from(sealed);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const code = (thrown(() => unseal(damaged)) as { code?: string }).code;
      const isVersion = bit >> 3 === FORMAT.magic.length + 1;
      expect(isVersion ? ["CHECKPOINT_CORRUPT", "FORMAT_UNSUPPORTED"] : ["CHECKPOINT_CORRUPT"]).toContain(code);
    }
  });

  test("that is cut off anywhere, or continued, is refused", () => {
    const sealed = sealJson(FORMAT, { a: 1 });
    for (let length = 0; length < sealed.length; length++) {
      expect(thrown(() => unseal(sealed.subarray(0, length)))).toMatchObject(CORRUPT);
    }
    for (const more of ["\n", " ", "{}", "\0"]) {
      expect(thrown(() => unseal(Buffer.concat([sealed, Buffer.from(more)])))).toMatchObject(CORRUPT);
    }
  });

  test("of another kind is corrupt, of another version unsupported", () => {
    expect(thrown(() => unseal(sealJson({ ...FORMAT, magic: "tidemark-other" }, {})))).toMatchObject(CORRUPT);
    const newer = sealJson({ ...FORMAT, version: 4 }, {});
    expect(thrown(() => unseal(newer))).toMatchObject({ code: "FORMAT_UNSUPPORTED" });
  });
});

const SEGMENT = {
  name: segmentLeaf(1, NONCE, 1),
  bytes: 10,
  sha256: "ab".repeat(32),
  indexBytes: 5,
  indexSha256: "cd".repeat(32),
  entries: 1,
  tombstones: 0,
  level: 255,
  keyGroups: KeyGroups.all(4),
  visibleBytes: 5,
  former: [{ state: 0, codec: { id: "text", version: 1 } }],
};
const CODEC = { id: "string", version: 1 };
const MANIFEST: Manifest = {
  job: "job",
  kind: "checkpoint",
  checkpoint: 3,
  attempt: { number: 1, nonce: NONCE },
  parent: null,
  retains: [2, 3],
  createdAt: 5,
  durationMs: 0.5,
  fullBytes: 6,
  incrementalBytes: 7,
  operators: [
    {
      name: "operator",
      maxParallelism: 4,
      keyHash: "murmur3-32",
      key: CODEC,
      states: [
        { id: 0, name: "state", kind: "map", codec: CODEC, namespace: CODEC, field: CODEC },
        { id: 0xffff, name: "other", kind: "value", codec: CODEC, ttl: { ms: 5, time: "event" } },
      ],
      tasks: [{ keyGroups: KeyGroups.all(4), segments: [SEGMENT], time: { processing: 4, watermark: 7 } }],
    },
  ],
};

/** As a manifest is written by whoever checks nothing. */
function sealed(manifest: unknown): Buffer {
  return sealJson({ magic: "tidemark-manifest", version: 2 }, manifest as object);
}

type Path = readonly (string | number)[];
type Json = Record<string | number, unknown>;

/** Paths of everything in a document. */
function pathsOf(json: unknown, path: Path = []): Path[] {
  if (typeof json !== "object" || json === null) return [path];
  const below = Object.entries(json).flatMap(([name, member]) => pathsOf(member, [...path, name]));
  return path.length === 0 ? below : [path, ...below];
}

/** The manifest with something else at a path; `undefined` for nothing. */
function withOther(path: Path, other: unknown): Manifest {
  const copy = JSON.parse(JSON.stringify(MANIFEST)) as Json;
  const parent = path.slice(0, -1).reduce<Json>((at, name) => at[name] as Json, copy);
  const last = path.at(-1) ?? "";
  if (other === undefined) delete parent[last];
  else parent[last] = other;
  return copy as unknown as Manifest;
}

describe("a manifest", () => {
  test("gives back what was encoded", () => {
    const decoded = decodeManifest(encodeManifest(MANIFEST), "name");
    expect(JSON.parse(JSON.stringify(decoded))).toEqual(JSON.parse(JSON.stringify(MANIFEST)));
    expect(decoded.operators[0]?.tasks[0]?.keyGroups.equals(KeyGroups.all(4))).toBe(true);
  });

  // An absent codec of a namespace or of fields means that the state has none; an absent item of a list that there is none.
  const optional = new Set(["namespace", "field", "ttl", "former", "time"]);
  const paths = pathsOf(JSON.parse(JSON.stringify(MANIFEST)));
  test.each(paths.map((path) => [path.join("."), path] as const))(
    "with something else at %s is refused",
    (_text, path) => {
      const last = path.at(-1) ?? "";
      const isItem = /^\d+$/.test(String(last));
      const others: unknown[] = [true, -1, 0.25, "?", {}, [[]], 2 ** 60];
      if (last !== "parent" && last !== "watermark") others.push(null);
      const isOptional = optional.has(String(last)) && path.join() !== "operators,0,states,1,ttl,time";
      if (!isItem && !isOptional) others.push(undefined);
      const isText = ["job", "name", "keyHash", "id", "kind"].includes(String(last)) && path.length > 0;
      for (const other of others) {
        const isFine =
          (isText && other === "?" && !path.includes("segments") && path.length > 1) ||
          (path.join() === "job" && other === "?") ||
          (last === "watermark" && other === -1) ||
          (path.join() === "operators,0,tasks,0,segments,0,former,0,codec,id" && other === "?") ||
          (last === "durationMs" && typeof other === "number" && other >= 0);
        if (isFine) continue;
        expect(
          thrown(() => decodeManifest(sealed(withOther(path, other)), "name")),
          `${other as string}`,
        ).toMatchObject(CORRUPT);
      }
    },
  );

  test.each<[string, Path, unknown]>([
    ["a state id of three bytes", ["operators", 0, "states", 0, "id"], 0x1_0000],
    ["one id for two states", ["operators", 0, "states", 1, "id"], 0],
    ["no key groups at all", ["operators", 0, "maxParallelism"], 0],
    ["too many key groups", ["operators", 0, "maxParallelism"], 32_769],
    ["a segment elsewhere", ["operators", 0, "tasks", 0, "segments", 0, "name"], `../${SEGMENT.name}`],
    ["a nonce in capitals", ["attempt", "nonce"], NONCE.toUpperCase()],
    ["a hash that is too short", ["operators", 0, "tasks", 0, "segments", 0, "sha256"], "ab"],
    [
      "key groups in disorder",
      ["operators", 0, "tasks", 0, "keyGroups"],
      [
        [2, 3],
        [0, 0],
      ],
    ],
  ])("with %s is refused", (_what, path, other) => {
    expect(thrown(() => decodeManifest(sealed(withOther(path, other)), "name"))).toMatchObject(CORRUPT);
  });
});

describe("names", () => {
  const jobs = fc.oneof(
    fc.string({ unit: "binary", maxLength: 80 }),
    fc.string({ unit: fc.constantFrom("a", "-", "A", "\ud800") }),
  );

  test("of objects are what every storage takes, whatever the job is called", () => {
    const property = fc.property(
      jobs,
      fc.maxSafeInteger().filter((n) => n >= 0),
      (job, number) => {
        const names = new JobNames(job);
        for (const name of [
          names.owner(number),
          names.lineage(number),
          names.mark(number),
          names.checkpoint(number, 1),
        ]) {
          expect(() => partsOfObjectName(name)).not.toThrow();
        }
        expect(() => partsOfObjectName(names.segments + segmentLeaf(number, NONCE, number))).not.toThrow();
      },
    );
    fc.assert(property);
  });

  test("of different jobs never meet", () => {
    fc.assert(
      fc.property(jobs, jobs, (a, b) => {
        expect(new JobNames(a).owners === new JobNames(b).owners).toBe(a === b);
      }),
    );
    const similar = [
      "a",
      "A",
      "n-a",
      "h-a",
      "ä",
      "a\u0308",
      "\ud800",
      "\ufffd",
      "",
      " ",
      "x".repeat(63),
      "x".repeat(64),
    ];
    expect(new Set(similar.map((job) => new JobNames(job).segments)).size).toBe(similar.length);
  });

  test("can be parsed again, and sort as their numbers do", () => {
    const numbers = fc.maxSafeInteger().filter((n) => n >= 0);
    const property = fc.property(numbers, numbers, (a, b) => {
      const names = new JobNames("job");
      expect(parseAttempt(names.owner(a), names.owners)).toBe(a);
      const leaf = names.checkpoint(a, b).slice(names.checkpoints.length);
      expect(parseManifestName(names.checkpoint(a, b), names.checkpoints)).toEqual({ checkpoint: a, attempt: b, leaf });
      expect(segmentAttempt(segmentLeaf(a, NONCE, b))).toBe(a);
      expect(isSegmentLeaf(segmentLeaf(a, NONCE, b))).toBe(true);
      expect(names.owner(a) < names.owner(b)).toBe(a < b);
    });
    fc.assert(property);
  });

  test.each(["", "1", "x".repeat(16), "-000000000000001", "00000000000000001", "0000000000000001 "])(
    "of strangers, here %j, are none of ours",
    (leaf) => {
      const { owners, checkpoints } = new JobNames("job");
      expect(parseAttempt(owners + leaf, owners)).toBeUndefined();
      expect(parseManifestName(`${checkpoints}${leaf}-0000000000000001`, checkpoints)).toBeUndefined();
      expect(parseManifestName(`${checkpoints}0000000000000001-${leaf}`, checkpoints)).toBeUndefined();
      expect(parseManifestName(`${checkpoints}0000000000000001-0000000000000001-${leaf}`, checkpoints)).toBeUndefined();
      expect(isSegmentLeaf(leaf)).toBe(false);
    },
  );
});
