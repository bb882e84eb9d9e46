/** What authors do wrong, and the sentence that they get. */

import { readdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { type CheckpointStorage, memoryStorage } from "@tidemark/core";
import { describe, expect, it } from "vitest";
import { handleOn } from "../src/reference/handle-on.js";
import { MEMORY_HARNESS } from "../src/reference/memory-harness.js";
import type { AdapterHarness } from "../src/runner/adapter-harness.js";
import { verify } from "../src/runner/verify.js";

const never = (): Promise<never> => new Promise(() => {});

/** The one problem of a harness that cannot be used. */
async function problemOf(harness: unknown): Promise<string> {
  const report = await verify(harness as AdapterHarness, { deadlineMs: 50 });
  expect(report.verdict).toBe("not conformant");
  expect(report.laws.filter(({ status }) => status === "passed")).toEqual([]);
  expect(report.problems).toHaveLength(1);
  return `${report.problems[0]?.culprit}: ${report.problems[0]?.message}`;
}

/** How a law ends on a storage of which one method is another. */
async function failureOf(
  id: string,
  change: (sound: CheckpointStorage) => Partial<Record<keyof CheckpointStorage, unknown>>,
) {
  const harness = {
    ...MEMORY_HARNESS,
    reopen(shared: CheckpointStorage) {
      const sound = handleOn(shared);
      return { ...sound, ...change(sound) } as CheckpointStorage;
    },
  };
  const { laws } = await verify(harness, { only: [id], deadlineMs: 50 });
  return laws.find((law) => law.id === id)?.failure;
}

describe("a harness that cannot be used", () => {
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ["is no object", undefined, /^harness: The harness is not one\. field=no object found=undefined/],
    ["has no name", { ...MEMORY_HARNESS, name: "" }, /field=name/],
    ["has an unknown contract", { ...MEMORY_HARNESS, contract: "table" }, /Use 'storage', 'backend' or 'store'/],
    ["lacks create", { ...MEMORY_HARNESS, create: undefined }, /field=create found=undefined\. Make it a function/],
    ["lacks its backend", { ...MEMORY_HARNESS, backend: undefined }, /field=backend/],
    ["has a misspelt hook", { ...MEMORY_HARNESS, readback: () => undefined }, /field=readback found=not known/],
    ["declares what is no capability", { ...MEMORY_HARNESS, capabilities: { fast: true } }, /capabilities\.fast/],
    ["declares a capability as text", { ...MEMORY_HARNESS, capabilities: { durable: "yes" } }, /Make it a boolean/],
    ["gives no reason", { ...MEMORY_HARNESS, inapplicable: { faults: true } }, /field=inapplicable\.faults/],
  ];
  it.each(cases)("%s", async (_, harness, expected) => {
    expect(await problemOf(harness)).toMatch(expected);
  });

  it("throws in create", async () => {
    const create = (): never => {
      throw new Error("no server at :6379");
    };
    expect(await problemOf({ ...MEMORY_HARNESS, create })).toBe(
      "harness: create of the harness failed. error=Error: no server at :6379. Mend the harness, or what it calls.",
    );
  });

  it("hangs in create, reopen or destroy", async () => {
    for (const hook of ["create", "reopen", "destroy"]) {
      const text = await problemOf({ ...MEMORY_HARNESS, [hook]: never });
      expect(text).toMatch(new RegExp(`^harness: ${hook} of the harness did not settle\\. deadlineMs=50\\.`));
    }
  });

  it("gives something else than a storage", async () => {
    const reopen = (): unknown => ({ get: () => undefined });
    expect(await problemOf({ ...MEMORY_HARNESS, reopen })).toMatch(/found=without put, list, remove, close/);
    expect(await problemOf({ ...MEMORY_HARNESS, reopen: () => null })).toMatch(
      /reopen gave no CheckpointStorage\. found=null/,
    );
  });
});

describe("an adapter that misbehaves", () => {
  it("hangs in a call", async () => {
    const failure = await failureOf("removes-named", () => ({ remove: never }));
    expect(failure).toMatchObject({ culprit: "adapter" });
    expect(failure?.message).toMatch(/^remove\(\["a\/b"\]\) did not settle\. deadlineMs=50\./);
  });

  it("hangs in the middle of a listing", async () => {
    const failure = await failureOf("lists-below-prefix", () => ({
      async *list() {
        yield { name: "a", bytes: 1 };
        await never();
      },
    }));
    expect(failure?.message).toMatch(/^list\(""\) did not settle/);
  });

  it("hangs below core, and is not taken for an unavailable storage", async () => {
    const failure = await failureOf("two-lives", ({ put }) => ({
      put: (name: string, ...others: [Uint8Array, undefined]) =>
        name.includes("/segment/") ? never() : put(name, ...others),
    }));
    expect(failure?.message).toMatch(/put\(.*segment.*did not settle/);
  });

  const wrong: readonly (readonly [string, string, () => Partial<Record<keyof CheckpointStorage, unknown>>, RegExp])[] =
    [
      [
        "an outcome that is none",
        "one-winner",
        () => ({ put: async () => true }),
        /found=true expected='created' or 'exists'/,
      ],
      ["no promise of an outcome", "one-winner", () => ({ put: () => undefined }), /found=undefined/],
      [
        "text instead of bytes",
        "streams-kept",
        () => ({
          async *get() {
            yield "abc";
          },
        }),
        /expected=Uint8Arrays/,
      ],
      [
        "a promise of bytes",
        "streams-kept",
        () => ({ get: async () => Buffer.from("abc") }),
        /expected=an async iterable/,
      ],
      [
        "names instead of objects",
        "lists-many",
        () => ({
          async *list() {
            yield "a";
          },
        }),
        /expected={ name, bytes }/,
      ],
    ];
  it.each(wrong)("gives %s", async (_, id, change, expected) => {
    const failure = await failureOf(id, change);
    expect(failure).toMatchObject({ culprit: "adapter" });
    expect(failure?.message).toMatch(expected);
  });

  it("rejects where nobody listens", async () => {
    const failure = await failureOf("one-winner", ({ put }) => ({
      put(...given: Parameters<CheckpointStorage["put"]>) {
        void Promise.reject(new Error("lost connection"));
        return put(...given);
      },
    }));
    expect(failure?.message).toMatch(/^A promise was rejected and nobody was told\. error=Error: lost connection/);
  });

  // Only Linux says which files a process has open.
  it.runIf(process.platform === "linux")("leaks what it opened", async () => {
    const leaked: Awaited<ReturnType<typeof open>>[] = [];
    const harness = {
      ...MEMORY_HARNESS,
      create: () => memoryStorage(),
      async reopen(shared: CheckpointStorage) {
        leaked.push(await open(import.meta.filename));
        return handleOn(shared);
      },
    };
    const before = readdirSync("/proc/self/fd").length;
    const { laws } = await verify(harness, { only: ["handles-released"] });
    for (const file of leaked) await file.close();
    const failure = laws.find(({ id }) => id === "handles-released")?.failure;
    expect(failure?.message).toMatch(/more of open files are held after 24 handles were opened and closed/);
    expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before + 2);
  });

  it("throws errors of another copy of core", async () => {
    // Another copy has another class, and marks its errors alike.
    const theirs = Object.assign(new Error("No such object."), {
      code: "CHECKPOINT_NOT_FOUND",
      [Symbol.for("tidemark.StateBackendError")]: true,
    });
    const failure = await failureOf("one-copy-of-core", () => ({
      // eslint-disable-next-line require-yield
      async *get() {
        throw theirs;
      },
    }));
    expect(failure).toMatchObject({ culprit: "installation" });
    expect(failure?.message).toMatch(/another copy of @tidemark\/core/);
  });
});
