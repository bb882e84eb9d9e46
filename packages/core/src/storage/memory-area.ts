/** What a store in memory holds of one operator: its entries, its marks, and who has which key groups open. */

import type { AppliedGroups, Change, Fence, KeyRange, StoreEntry, StoreMark } from "../contracts/store.js";
import { type BinaryKey, readUint16 } from "../key/binary-key.js";
import { KeyGroups } from "../key/key-groups.js";

const CHUNK_ENTRIES = 256;

interface GroupMarks {
  readonly mark: StoreMark | undefined;
  readonly applying: StoreMark | undefined;
}

export class MemoryArea {
  readonly #entries = new Map<BinaryKey, Uint8Array>();
  readonly #marks = new Map<number, GroupMarks>();
  readonly #owners = new Map<object, { readonly groups: KeyGroups; readonly fence: Fence }>();
  /** The keys in order, until the next key comes or goes. */
  #sorted: readonly BinaryKey[] | undefined;

  takeOver(owner: object, groups: KeyGroups, fence: Fence): void {
    for (const [other, theirs] of this.#owners) {
      const isSameFence = theirs.fence.epoch === fence.epoch && theirs.fence.nonce === fence.nonce;
      if (!isSameFence && theirs.groups.intersect(groups).count > 0) this.#owners.delete(other);
    }
    this.#owners.set(owner, { groups, fence });
  }

  isOwner(owner: object): boolean {
    return this.#owners.has(owner);
  }

  /** What is held of `groups`: consecutive groups with the same marks are one range. */
  applied(groups: KeyGroups): readonly AppliedGroups[] {
    const applied: AppliedGroups[] = [];
    for (const group of groups) {
      const { mark, applying } = this.#marks.get(group) ?? NOTHING;
      if (mark === undefined) continue;
      const last = applied.at(-1);
      if (last?.groups.last === group - 1 && isSame(last.mark, mark) && isSame(last.applying, applying)) {
        applied[applied.length - 1] = { ...last, groups: { first: last.groups.first, last: group } };
      } else {
        applied.push({ groups: { first: group, last: group }, mark, ...(applying === undefined ? {} : { applying }) });
      }
    }
    return applied;
  }

  get(key: BinaryKey): Uint8Array | undefined {
    const value = this.#entries.get(key);
    return value === undefined ? undefined : Uint8Array.from(value);
  }

  /** The entries of the moment of the call. */
  *scan({ start, end }: KeyRange): Generator<readonly StoreEntry[], void, undefined> {
    const keys = this.#keys().filter((key) => start <= key && key < end);
    const entries = keys.map((key) => ({ key, value: this.get(key) as Uint8Array }));
    for (let first = 0; first < entries.length; first += CHUNK_ENTRIES) {
      yield entries.slice(first, first + CHUNK_ENTRIES);
    }
  }

  /** Whether there is anything to do: not if every group is at `mark` already. */
  startApply(groups: KeyGroups, mark: StoreMark): boolean {
    const all = [...groups].map((group) => this.#marks.get(group) ?? NOTHING);
    if (all.every((marks) => isSame(marks.mark, mark) && marks.applying === undefined)) return false;
    const empty: number[] = [];
    for (const group of groups) {
      const { mark: held } = this.#marks.get(group) ?? NOTHING;
      if (held === undefined) empty.push(group);
      else this.#marks.set(group, { mark: held, applying: mark });
    }
    // A load that did not end may have left something behind.
    this.drop(KeyGroups.of(empty.map((group) => ({ first: group, last: group }))));
    return true;
  }

  change(change: Change): void {
    if (change.kind === "clear") this.#remove((key) => key.startsWith(change.prefix));
    else if (change.kind === "delete") this.#sorted = this.#entries.delete(change.key) ? undefined : this.#sorted;
    else {
      if (!this.#entries.has(change.key)) this.#sorted = undefined;
      this.#entries.set(change.key, Uint8Array.from(change.value));
    }
  }

  drop(groups: KeyGroups): void {
    for (const group of groups) this.#marks.delete(group);
    this.#remove((key) => groups.has(readUint16(key, 0)));
  }

  setMark(groups: KeyGroups, mark: StoreMark): void {
    for (const group of groups) this.#marks.set(group, { mark, applying: undefined });
  }

  #remove(isGone: (key: BinaryKey) => boolean): void {
    for (const key of this.#entries.keys()) {
      if (isGone(key)) this.#entries.delete(key);
    }
    this.#sorted = undefined;
  }

  #keys(): readonly BinaryKey[] {
    this.#sorted ??= [...this.#entries.keys()].sort();
    return this.#sorted;
  }
}

const NOTHING: GroupMarks = Object.freeze({ mark: undefined, applying: undefined });

function isSame(a: StoreMark | undefined, b: StoreMark | undefined): boolean {
  return a?.checkpoint === b?.checkpoint && a?.tag === b?.tag;
}
