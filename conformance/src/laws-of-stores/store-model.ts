/** What a store may answer after any history of calls: a map of keys to values, and per key group what is known of it. */

import assert from "node:assert/strict";
import type { AppliedGroups, BinaryKey, Change, StoreMark } from "@tidemark/core";
import { byGroup, GROUPS } from "./store-script.js";

interface Held {
  readonly mark: StoreMark;
  readonly applying: StoreMark | undefined;
}

/** What a key may read as; `undefined` is absent. */
type Answers = ReadonlySet<string | undefined>;

const ABSENT: Answers = new Set([undefined]);

export class StoreModel {
  /** Groups of which nothing is held are missing: what their keys read as is not known. */
  readonly #held = new Map<number, Held>();
  readonly #answers = new Map<BinaryKey, Answers>();
  /** The apply that failed, to be made again before any other. */
  #pending: { readonly mark: StoreMark; readonly changes: readonly Change[] } | undefined;

  get pending(): { readonly mark: StoreMark; readonly changes: readonly Change[] } | undefined {
    return this.#pending;
  }

  applied(mark: StoreMark, changes: readonly Change[]): void {
    this.#forgetUnheld();
    for (const change of changes) this.#change(change, (_old, value) => new Set([value]));
    for (const group of GROUPS) this.#held.set(group, { mark, applying: undefined });
    this.#pending = undefined;
  }

  /** Any of `changes` may have been made: a key reads as it did, as it will, or as absent where a clear comes first. */
  interruptedApply(mark: StoreMark, changes: readonly Change[]): void {
    for (const change of changes) this.#change(change, (old, value) => new Set([...old, value]));
    for (const [group, { mark: held }] of this.#held) this.#held.set(group, { mark: held, applying: mark });
    this.#pending = { mark, changes };
  }

  loaded(groups: ReadonlySet<number>, rows: ReadonlyMap<BinaryKey, string>, mark: StoreMark): void {
    this.dropped(groups);
    for (const [key, value] of rows) this.#answers.set(key, new Set([value]));
    for (const group of groups) this.#held.set(group, { mark, applying: undefined });
  }

  dropped(groups: ReadonlySet<number>): void {
    for (const group of groups) this.#held.delete(group);
    this.#forgetUnheld();
    if ([...this.#held.values()].every(({ applying }) => applying === undefined)) this.#pending = undefined;
  }

  /** Fails unless `applied` is what must be known of a place with this history. */
  checkApplied(applied: readonly AppliedGroups[]): void {
    const reported = byGroup(applied);
    for (const group of GROUPS) {
      const held = this.#held.get(group);
      const marks = reported.get(group);
      assert.deepEqual(marks?.mark, held?.mark, `Mark of group ${group}.`);
      if (held?.applying === undefined) assert.equal(marks?.applying, undefined, `Group ${group} is whole.`);
      else if (marks?.applying !== undefined) {
        assert.deepEqual(marks.applying, held.applying, `Applying of group ${group}.`);
      } else this.#undoPending();
    }
  }

  /** Fails unless `key` may read as `value`. */
  checkRead(key: BinaryKey, value: string | undefined): void {
    if (!this.#held.has(key.charCodeAt(1))) return;
    const answers = this.#answers.get(key) ?? ABSENT;
    assert(answers.has(value), `Key ${JSON.stringify(key)} reads as ${value}, expected ${[...answers].join(" or ")}.`);
  }

  /** Nothing of the apply that failed is there after all, says the store: only what was before counts. */
  #undoPending(): void {
    for (const [key, answers] of this.#answers) {
      const [before] = answers;
      this.#answers.set(key, new Set([before]));
    }
  }

  #change(change: Change, answersOf: (old: Answers, value: string | undefined) => Answers): void {
    if (change.kind !== "clear") {
      const value = change.kind === "put" ? Buffer.from(change.value).toString("latin1") : undefined;
      this.#answers.set(change.key, answersOf(this.#answers.get(change.key) ?? ABSENT, value));
      return;
    }
    for (const [key, old] of this.#answers) {
      if (key.startsWith(change.prefix)) this.#answers.set(key, answersOf(old, undefined));
    }
  }

  #forgetUnheld(): void {
    for (const key of this.#answers.keys()) {
      if (!this.#held.has(key.charCodeAt(1))) this.#answers.delete(key);
    }
  }
}
