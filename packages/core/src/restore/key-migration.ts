/**
 * Brings keys, namespaces and fields from the codecs that they have in a checkpoint to those that are declared.
 *
 * Invariants:
 * - No two keys become one: neither record keys of the operator, nor namespaces of a key, nor fields of a map.
 * - Entries of one task come in ascending order, so what belongs to one key, or to one cell, comes together.
 */

import { inspect } from "node:util";
import type { OperatorManifest, StateManifest } from "../checkpoint/manifest.js";
import { quoted, StateBackendError } from "../errors.js";
import { type BinaryKey, bytesOfKey, EMPTY_KEY, readUint16, uint16Key } from "../key/binary-key.js";
import { keyGroupOf, OPERATOR_GROUP } from "../key/key-groups.js";
import { murmur3OfKey } from "../key/murmur3.js";
import { CellIndex } from "../table/cell-index.js";
import { CELL_OFFSET } from "../table/state-table.js";
import { isTimerKind, TIME_BYTES } from "../table/timer-kinds.js";
import { type DeclaredKeys, keyCodecOf, type KeyPath, keyPath, scopeCodecs } from "./key-path.js";
import type { Move } from "./rewrite.js";

/** A part of a composite key. */
type Part = "key" | "namespace" | "field";

/** How the keys of a state are made up, and what becomes of the parts. A part without a path is copied with all that follows it. */
interface StateMove {
  readonly name: string;
  /** Where the record key begins. */
  readonly keyStart: number;
  /** Whether everything behind the record key stays as it is. */
  readonly isKept: boolean;
  readonly namespace: KeyPath | undefined;
  readonly field: KeyPath | undefined;
}

/** What a part became, and where it ended. */
interface Moved {
  readonly bytes: BinaryKey;
  readonly end: number;
}

/** A part of an entry's key that is to be moved. */
interface Place {
  readonly state: StateMove;
  readonly part: Part;
  readonly start: number;
}

/**
 * What moves the keys of a checkpoint; `undefined` if every codec is the declared one. One serves one reading of the checkpoint, since it
 * remembers what the keys became.
 */
export function keyMigration(operator: DeclaredKeys, source: OperatorManifest): Move | undefined {
  const key = keyPath(keyCodecOf(operator), source.key);
  if (key === undefined) return undefined;
  const moves = new Map(source.states.map((state) => [state.id, stateMove(operator, state)]));
  if (key.convert === undefined && [...moves.values()].every(({ isKept }) => isKept)) return undefined;
  const migration = new KeyMigration(operator, key, moves);
  return (entry) => migration.move(entry);
}

function stateMove(operator: DeclaredKeys, state: StateManifest): StateMove {
  const codecs = scopeCodecs(operator, state);
  const path = (part: "namespace" | "field"): KeyPath | undefined => {
    const [now, stored] = [codecs[part], state[part]];
    return now === undefined || stored === undefined ? undefined : keyPath(now, stored);
  };
  const [namespace, field] = [path("namespace"), path("field")];
  const isKept = namespace?.convert === undefined && field?.convert === undefined;
  return {
    name: state.name,
    keyStart: CELL_OFFSET + (isTimerKind(state.kind) ? TIME_BYTES : 0),
    isKept,
    // What is copied need not be read.
    namespace: isKept ? undefined : namespace,
    field: isKept ? undefined : field,
  };
}

class KeyMigration {
  readonly #operator: DeclaredKeys;
  readonly #key: KeyPath;
  readonly #moves: ReadonlyMap<number, StateMove>;
  /** The old bytes of every record key, by the new ones. */
  readonly #keys = new CellIndex<BinaryKey>();
  /** The record key that was moved last, since its entries come together: the old bytes, the new ones, and their key group. */
  #last: { readonly old: BinaryKey; readonly bytes: BinaryKey; readonly group: BinaryKey } | undefined;
  readonly #namespaces = new Siblings();
  readonly #fields = new Siblings();

  constructor(operator: DeclaredKeys, key: KeyPath, moves: ReadonlyMap<number, StateMove>) {
    this.#operator = operator;
    this.#key = key;
    this.#moves = moves;
  }

  move(entry: BinaryKey): BinaryKey {
    const state = this.#moves.get(readUint16(entry, 2));
    if (state === undefined) return entry;
    const isOperatorState = readUint16(entry, 0) === OPERATOR_GROUP;
    const head = isOperatorState
      ? { group: entry.slice(0, 2), bytes: EMPTY_KEY, end: CELL_OFFSET }
      : this.#record(entry, state);
    const namespace = this.#part(entry, state.namespace, { state, part: "namespace", start: head.end });
    const field = this.#part(entry, state.field, { state, part: "field", start: namespace.end });
    const beforeKey = entry.slice(2, isOperatorState ? CELL_OFFSET : state.keyStart);
    return (head.group + beforeKey + head.bytes + namespace.bytes + field.bytes + entry.slice(field.end)) as BinaryKey;
  }

  /** The record key, and the key group that it falls in. */
  #record(entry: BinaryKey, state: StateMove): Moved & { readonly group: BinaryKey } {
    const { keyStart: start } = state;
    if (this.#last === undefined || !entry.startsWith(this.#last.old, start)) {
      const place: Place = { state, part: "key", start };
      const { bytes, end } = this.#convert(entry, this.#key, place);
      const old = entry.slice(start, end) as BinaryKey;
      if (this.#key.convert === undefined) this.#last = { old, bytes, group: entry.slice(0, 2) as BinaryKey };
      else {
        const known = this.#keys.get(bytes);
        if (known !== undefined && known !== old) throw this.#collision(place, this.#key, [known, old]);
        if (known === undefined) this.#keys.set(bytes, old);
        const group = keyGroupOf(murmur3OfKey(bytes), this.#operator.maxParallelism);
        this.#last = { old, bytes, group: uint16Key(group) };
      }
    }
    const { old, bytes, group } = this.#last;
    return { bytes, group, end: start + old.length };
  }

  #part(entry: BinaryKey, path: KeyPath | undefined, place: Place): Moved {
    const { part, start } = place;
    if (path === undefined) return { bytes: EMPTY_KEY, end: start };
    const moved = this.#convert(entry, path, place);
    if (path.convert === undefined) return moved;
    const siblings = part === "field" ? this.#fields : this.#namespaces;
    const old = entry.slice(start, moved.end) as BinaryKey;
    const other = siblings.other(entry.slice(0, start), moved.bytes, old);
    if (other !== undefined) throw this.#collision(place, path, [other, old]);
    return moved;
  }

  #convert(entry: BinaryKey, { codec, convert }: KeyPath, place: Place): Moved {
    let decoded: unknown;
    try {
      const { key, end } = codec.decode(entry, place.start);
      if (convert === undefined) return { bytes: entry.slice(place.start, end) as BinaryKey, end };
      decoded = key;
      return { bytes: convert(key), end };
    } catch (cause) {
      const bytes = entry.slice(place.start) as BinaryKey;
      const shown = decoded === undefined ? `bytes ${bytesOfKey(bytes).toString("hex")}` : shownKey(decoded);
      throw new StateBackendError(
        "STATE_INCOMPATIBLE",
        `A ${place.part} could not be migrated. ${this.#where(place)} ${place.part}=${quoted(shown)} from=${quoted(`${codec.id} version ${codec.version}`)}. Nothing stored has changed: mend the former codec or its migration, and restore again.`,
        { cause },
      );
    }
  }

  #collision({ state, part }: Place, { codec }: KeyPath, both: readonly BinaryKey[]): StateBackendError {
    const [first = "", second = ""] = both.map((bytes) => quoted(shownKey(codec.decode(bytes, 0).key)));
    return new StateBackendError(
      "STATE_INCOMPATIBLE",
      `Two ${part}s become one. ${this.#where({ state })} first=${first} second=${second}. Nothing stored has changed: give every old ${part} another new one.`,
    );
  }

  #where({ state }: Pick<Place, "state">): string {
    return `operator=${quoted(this.#operator.name)} state=${quoted(state.name)}`;
  }
}

/** What the parts behind one and the same beginning became: the old bytes, by the new ones. */
class Siblings {
  #old = new CellIndex<BinaryKey>();
  #before = "";

  /** Another old part that became the same as `old`, if there is one. */
  other(before: string, bytes: BinaryKey, old: BinaryKey): BinaryKey | undefined {
    if (this.#before !== before) {
      this.#before = before;
      this.#old = new CellIndex();
    }
    const known = this.#old.get(bytes);
    if (known === undefined) this.#old.set(bytes, old);
    return known === old ? undefined : known;
  }
}

function shownKey(key: unknown): string {
  return typeof key === "string" ? key : inspect(key, { breakLength: Infinity });
}
