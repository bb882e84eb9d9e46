/**
 * Every disk that may be found after a loss of power, from the log of a `FaultFiles`.
 *
 * After each operation, of what is not durable yet: any subset of the directory entries survives, and of each write
 * nothing, a torn prefix, or all of it. Gaps are zeros. An entry is durable after a sync of its directory, a write
 * after a sync of its file; a write that a failed sync lost stays uncertain for good.
 *
 * Invariants:
 * - Deterministic: the same log and options give the same states in the same order.
 * - Exhaustive up to `limitPerCut` choices per cut; beyond, that many drawn by seed, the extremes among them.
 * - No state twice between two marks: what a caller may expect changes at marks only.
 * - Weaker than some disks in one respect: the parts of one write are not reordered.
 */

import { createHash } from "node:crypto";
import type { LogEntry } from "./fault-files.js";
import { ROOT_INODE } from "./memory-disk.js";
import type { DiskImage, Effect, Inode, Target } from "./memory-disk.js";
import { seededRandom } from "./seeded-random.js";

export interface CrashStateOptions {
  readonly seed: number;
  /** How many choices are looked at after each operation at most. @defaultValue 65536 */
  readonly limitPerCut?: number;
}

/** A disk that may be found if the power goes after the first `cut` entries of the log. */
export interface CrashState {
  readonly cut: number;
  readonly image: DiskImage;
}

/** All crash states of `log`, from its beginning to its end. */
export function* crashStates(log: readonly LogEntry[], options: CrashStateOptions): Generator<CrashState, void> {
  const { seed, limitPerCut = 2 ** 16 } = options;
  const uncertain = new UncertainDisk();
  const seen = new Set<string>();
  for (const [index, entry] of log.entries()) {
    for (const effect of entry.effects) uncertain.apply(effect);
    if (entry.operation === "mark") seen.clear();
    // Between operations without effect the disk does not change; what was loaded at the start was durable.
    if (entry.operation === "load" || (entry.effects.length === 0 && entry.operation !== "mark")) continue;
    const plan = uncertain.plan();
    for (const choice of choices(plan.radices, { seed: seed + index, limit: limitPerCut })) {
      const key = createHash("sha1").update(plan.key(choice)).digest("base64");
      if (seen.has(key)) continue;
      seen.add(key);
      yield { cut: index + 1, image: plan.image(choice) };
    }
  }
}

interface Write {
  readonly position: number;
  readonly bytes: Uint8Array;
  state: "durable" | "lost" | "pending";
}

interface Entry {
  durable: Target | undefined;
  /** What the name meant after each change that is not durable yet. */
  readonly later: (Target | undefined)[];
}

/** What is certain to survive, and what may. */
class UncertainDisk {
  readonly #directories = new Map<Inode, Map<string, Entry>>();
  readonly #files = new Map<Inode, Write[]>();

  apply(effect: Effect): void {
    switch (effect.kind) {
      case "entry": {
        const entries = valueOf(this.#directories, effect.directory, () => new Map<string, Entry>());
        valueOf(entries, effect.name, (): Entry => ({ durable: undefined, later: [] })).later.push(effect.target);
        break;
      }
      case "write": {
        const { position, bytes } = effect;
        valueOf(this.#files, effect.inode, () => []).push({ position, bytes, state: "pending" });
        break;
      }
      case "sync":
        this.#settle(effect.inode, "durable");
        for (const entry of this.#directories.get(effect.inode)?.values() ?? []) {
          if (entry.later.length > 0) entry.durable = entry.later.at(-1);
          entry.later.length = 0;
        }
        break;
      case "lost":
        this.#settle(effect.inode, "lost");
        break;
    }
  }

  plan(): Plan {
    const radices: number[] = [];
    const directories = new Map<Inode, PlannedEntry[]>();
    for (const [inode, entries] of this.#directories) {
      directories.set(
        inode,
        [...entries].map(([name, { durable, later }]) => {
          const targets = distinct([durable, ...later]);
          return { name, targets, choice: digitOf(radices, targets.length) };
        }),
      );
    }
    const files = new Map<Inode, PlannedWrite[]>();
    for (const [inode, writes] of this.#files) {
      files.set(
        inode,
        writes.map(({ position, bytes, state }) => {
          const variants = state === "durable" ? [bytes] : [undefined, bytes.subarray(0, bytes.length >>> 1), bytes];
          return { position, variants, choice: digitOf(radices, variants.length) };
        }),
      );
    }
    return new Plan(radices, directories, files);
  }

  #settle(inode: Inode, state: Write["state"]): void {
    for (const write of this.#files.get(inode) ?? []) if (write.state === "pending") write.state = state;
  }
}

interface PlannedEntry {
  readonly name: string;
  readonly targets: readonly (Target | undefined)[];
  readonly choice: number;
}

interface PlannedWrite {
  readonly position: number;
  readonly variants: readonly (Uint8Array | undefined)[];
  readonly choice: number;
}

/** The choices that a loss of power has at one moment, one digit each. */
class Plan {
  readonly radices: readonly number[];
  readonly #directories: ReadonlyMap<Inode, readonly PlannedEntry[]>;
  readonly #files: ReadonlyMap<Inode, readonly PlannedWrite[]>;

  constructor(
    radices: readonly number[],
    directories: ReadonlyMap<Inode, readonly PlannedEntry[]>,
    files: ReadonlyMap<Inode, readonly PlannedWrite[]>,
  ) {
    this.radices = radices;
    this.#directories = directories;
    this.#files = files;
  }

  /** A text that two choices share if and only if they give the same names, files and surviving writes. */
  key(choice: readonly number[]): string {
    let key = "";
    this.#visit(choice, (path, { inode, kind }) => {
      const writes = kind === "file" ? (this.#files.get(inode) ?? []) : [];
      key += `${path}\0${inode}\0${writes.map((write) => choice[write.choice]).join()}\0`;
    });
    return key;
  }

  image(choice: readonly number[]): DiskImage {
    const image = new Map<string, Uint8Array | "directory">();
    this.#visit(choice, (path, { inode, kind }) => {
      image.set(path, kind === "directory" ? "directory" : this.#content(inode, choice));
    });
    return image;
  }

  #content(inode: Inode, choice: readonly number[]): Uint8Array {
    let content = new Uint8Array(0);
    for (const { position, variants, choice: digit } of this.#files.get(inode) ?? []) {
      const bytes = variants[choice[digit] ?? 0];
      if (bytes === undefined) continue;
      const grown = new Uint8Array(Math.max(content.length, position + bytes.length));
      grown.set(content);
      grown.set(bytes, position);
      content = grown;
    }
    return content;
  }

  /** What can be reached from the root, parents first. */
  #visit(choice: readonly number[], visitor: (path: string, target: Target) => void): void {
    const pending: { readonly path: string; readonly inode: Inode }[] = [{ path: "", inode: ROOT_INODE }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const { name, targets, choice: digit } of this.#directories.get(next.inode) ?? []) {
        const target = targets[choice[digit] ?? 0];
        if (target === undefined) continue;
        const path = `${next.path}/${name}`;
        visitor(path, target);
        if (target.kind === "directory") pending.push({ path, inode: target.inode });
      }
    }
  }
}

/** All vectors of digits below `radices`, or a sample of `limit` of them. */
function* choices(radices: readonly number[], { seed, limit }: { seed: number; limit: number }) {
  const count = radices.reduce((product, radix) => product * radix, 1);
  if (count <= limit) {
    const digits = radices.map(() => 0);
    for (let index = 0; index < count; index += 1) {
      yield digits;
      increment(digits, radices);
    }
    return;
  }
  yield radices.map(() => 0);
  yield radices.map((radix) => radix - 1);
  const random = seededRandom(seed);
  for (let index = 2; index < limit; index += 1) yield radices.map((radix) => random.below(radix));
}

/** What is certain has no digit; it is read as digit 0. */
const CERTAIN = -1;

function digitOf(radices: number[], radix: number): number {
  return radix === 1 ? CERTAIN : radices.push(radix) - 1;
}

function increment(digits: number[], radices: readonly number[]): void {
  for (const [place, radix] of radices.entries()) {
    const digit = (digits[place] ?? 0) + 1;
    digits[place] = digit === radix ? 0 : digit;
    if (digit < radix) return;
  }
}

function distinct(targets: readonly (Target | undefined)[]): readonly (Target | undefined)[] {
  return targets.filter((target, index) => targets.findIndex((other) => other?.inode === target?.inode) === index);
}

function valueOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
