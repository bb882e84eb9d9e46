/** Values whose rest is in a store that answers late, in any order or not at all, against a plain account of what was written. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { systemClock } from "../clock.js";
import type { Codec } from "../contracts/codec.js";
import type { Delta, KeyRange, Store, StoreEntry, StoreMark } from "../contracts/store.js";
import type { BinaryKey } from "../key/binary-key.js";
import { KeyGroups } from "../key/key-groups.js";
import { number } from "../key/number-key.js";
import { memoryStore } from "../storage/memory-store.js";
import { Address } from "../table/address.js";
import { Epoch } from "../table/epoch.js";
import { FrozenTable } from "../table/frozen-table.js";
import { text } from "../value/codecs.js";
import { StoredValues } from "./stored-values.js";
import { TaskStore } from "./task-store.js";

const MAX_PARALLELISM = 4;
const GROUPS = KeyGroups.all(MAX_PARALLELISM);
const KEYS = [0, -0, Number.NaN, 1.5, 2, 3];

interface Answer {
  /** Whether the store looked when it was asked, else it looks now. */
  readonly isOld: boolean;
  readonly fails: boolean;
}

/** Answers reads when it is told to. */
class LateStore implements Store {
  readonly asked: ((answer: Answer) => void)[] = [];
  readonly #inner = memoryStore().create();
  getManySync?: (keys: readonly BinaryKey[]) => readonly (Uint8Array | undefined)[];

  constructor(isSync: boolean) {
    const { getManySync } = this.#inner;
    if (isSync && getManySync !== undefined) this.getManySync = getManySync.bind(this.#inner);
  }

  getMany(keys: readonly BinaryKey[]): Promise<readonly (Uint8Array | undefined)[]> {
    const old = this.#inner.getMany(keys);
    return new Promise((resolve, reject) => {
      this.asked.push(({ isOld, fails }) => {
        if (fails) reject(new Error("no answer"));
        else resolve(isOld ? old : this.#inner.getMany(keys));
      });
    });
  }

  async open(): Promise<readonly []> {
    const scope = { job: "j", operator: "o", maxParallelism: MAX_PARALLELISM, groups: GROUPS };
    await this.#inner.open(scope, { epoch: 1, nonce: "0".repeat(32) });
    return [];
  }

  scan(range: KeyRange): AsyncIterable<readonly StoreEntry[]> {
    return this.#inner.scan(range);
  }

  apply(mark: StoreMark, changes: Delta): Promise<void> {
    return this.#inner.apply(mark, changes);
  }

  async load(): Promise<void> {}
  async drop(): Promise<void> {}
  async close(): Promise<void> {}
}

function addressOf(key: number, namespace: number): string {
  return `${key + 0}/${namespace}`;
}

class Values {
  readonly store: LateStore;
  readonly tasks: TaskStore;
  readonly table: StoredValues;
  readonly epoch = new Epoch(1);
  readonly frozen: FrozenTable[] = [];
  readonly account = new Map<string, string>();
  readonly wrong: unknown[] = [];
  readonly finding: Promise<unknown>[] = [];

  constructor(
    cacheBytes: number,
    { isSync = false, codec = text() }: { isSync?: boolean; codec?: Codec<string> } = {},
  ) {
    this.store = new LateStore(isSync);
    const { store } = this;
    this.tasks = new TaskStore({ store, clock: systemClock, cacheBytes, memtableBytes: 0, schema: "" });
    const address = new Address(number(), number());
    const { epoch } = this;
    this.table = new StoredValues(
      { stateId: 3, address, codec, groups: GROUPS, maxParallelism: MAX_PARALLELISM, epoch },
      this.tasks.access,
    );
  }

  put(key: number, namespace: number, value: string): void {
    this.table.put(key, namespaceOf(namespace), value);
    this.account.set(addressOf(key, namespace), value);
  }

  remove(key: number, namespace: number): void {
    this.table.remove(key, namespaceOf(namespace));
    this.account.delete(addressOf(key, namespace));
  }

  /** Looks, and then perhaps writes, as a time to live does. */
  find(key: number, namespace: number, then: "look" | "renew" | "remove"): void {
    const seen = (content: unknown): unknown => {
      const expected = this.account.get(addressOf(key, namespace));
      if (content !== expected) this.wrong.push({ key, namespace, content, expected });
      if (then === "remove") this.remove(key, namespace);
      if (then === "renew" && content !== undefined) {
        this.put(key, namespace, `${(content as string).slice(0, 9)}+`);
      }
      return content;
    };
    this.finding.push(Promise.resolve(this.table.find(key, namespaceOf(namespace), seen)));
    this.finding.at(-1)?.catch(() => undefined);
  }

  freeze(): void {
    this.frozen.push(new FrozenTable([this.table.freeze()], { epoch: this.epoch.number, bytes: 0 }));
    this.epoch.number++;
  }

  async applyOldest(settles: boolean): Promise<void> {
    const oldest = this.frozen.shift();
    if (oldest === undefined) return;
    const mark = { checkpoint: oldest.epoch, tag: `${oldest.epoch}` };
    await this.tasks.apply(mark, async (slicer) => [oldest.entries(slicer)]);
    if (settles) this.table.applied(oldest.epoch);
  }

  async expectScanned(): Promise<void> {
    const found = new Map<string, unknown>();
    for await (const rows of this.table.cells()) for (const { key, content } of rows) found.set(key, content);
    expect([...found.values()].sort()).toEqual([...this.account.values()].sort());
  }
}

function namespaceOf(namespace: number): BinaryKey {
  return number().encode(namespace);
}

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom(
      "put",
      "remove",
      "find",
      "find",
      "freeze",
      "apply",
      "turn",
      "answer",
      "answer",
      "forget",
      "scan",
    ),
    key: fc.constantFrom(...KEYS),
    namespace: fc.nat(1),
    value: fc.oneof(
      fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 3 }),
      fc.constant("w".repeat(3_000)),
      fc.constant("x".repeat(70_000)),
    ),
    then: fc.constantFrom("look" as const, "look" as const, "renew" as const, "remove" as const),
    answer: fc.record({ isOld: fc.boolean(), fails: fc.constantFrom(false, false, false, true) }),
    pick: fc.nat(),
  }),
  { maxLength: 60 },
);
type Step = typeof steps extends fc.Arbitrary<readonly (infer S)[]> ? S : never;

async function take(values: Values, { kind, key, namespace, value, then, answer, pick }: Step): Promise<void> {
  const { asked } = values.store;
  if (kind === "put") values.put(key, namespace, value);
  else if (kind === "remove") values.remove(key, namespace);
  else if (kind === "find") values.find(key, namespace, then);
  else if (kind === "freeze") values.freeze();
  else if (kind === "apply") await values.applyOldest(pick % 4 > 0);
  else if (kind === "turn") await systemClock.yield();
  else if (kind === "scan") await values.expectScanned();
  else if (kind === "forget") values.tasks.access.budget.settle();
  else if (asked.length > 0) {
    asked.splice(pick % asked.length, 1)[0]?.(answer);
    await systemClock.yield();
  }
}

describe("stored values", () => {
  test.each([false, true])(
    "T144 are what was written last, however the store answers; without promises: %s",
    async (isSync) => {
      await fc.assert(
        fc.asyncProperty(steps, fc.constantFrom(0, 500, 100_000), async (program, cacheBytes) => {
          const values = new Values(cacheBytes, { isSync });
          await values.store.open();
          for (const step of program) await take(values, step);
          const ended = Promise.allSettled(values.finding);
          let isEnded = false;
          void ended.then(() => {
            isEnded = true;
          });
          while (!isEnded) {
            await systemClock.yield();
            for (const answer of values.store.asked.splice(0)) answer({ isOld: false, fails: false });
          }
          expect(values.wrong).toEqual([]);
          const failures = (await ended).flatMap((end) => (end.status === "rejected" ? [String(end.reason)] : []));
          expect(failures.filter((failure) => failure !== "Error: no answer")).toEqual([]);
          await values.expectScanned();
        }),
        { numRuns: 150 },
      );
    },
  );

  test("T144 a codec that throws changes nothing, and one that uses the state is not disturbed by that", async () => {
    const inner = text();
    const use: { while?: ((value: string) => void) | undefined } = {};
    const using = (value: string): void => {
      const now = use.while;
      use.while = undefined;
      now?.(value);
    };
    const codec: Codec<string> = {
      ...inner,
      write(value, out) {
        inner.write(value.slice(0, 1), out);
        using(value);
        out.bytes(Buffer.from(value.slice(1)));
      },
      read(input) {
        const value = inner.read(input);
        using(value);
        return value;
      },
    };
    const values = new Values(0, { isSync: true, codec });
    await values.store.open();
    values.put(1, 0, "one");
    use.while = () => {
      throw new Error("refused");
    };
    expect(() => values.put(1, 0, "two")).toThrow("refused");
    expect(values.table.find(1, namespaceOf(0))).toBe("one");
    use.while = () => values.put(2, 0, "inner");
    values.put(1, 0, "outer");
    expect(values.table.find(1, namespaceOf(0))).toBe("outer");
    expect(values.table.find(2, namespaceOf(0))).toBe("inner");
    values.freeze();
    await values.applyOldest(true);
    use.while = () => expect(values.table.find(2, namespaceOf(0))).toBe("inner");
    expect(values.table.find(1, namespaceOf(0))).toBe("outer");
    expect(use.while).toBeUndefined();
    expect(values.table.find(2, namespaceOf(0))).toBe("inner");
    expect(values.table.find(1, namespaceOf(0))).toBe("outer");
  });
});
