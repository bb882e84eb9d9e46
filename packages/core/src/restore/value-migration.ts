/**
 * How the values of an operator's states come from the codecs that wrote them to the codecs that are declared.
 *
 * Invariants:
 * - Nothing is rewritten for its own sake. A segment keeps its bytes, and the manifest says which states are in a former codec there.
 * - Whatever is read of such a segment goes through the conversions, so every segment that is written has one codec per state.
 */

import { inspect } from "node:util";
import type { ByteReader } from "../bytes/byte-reader.js";
import { ByteWriter } from "../bytes/byte-writer.js";
import type { CodecName, FormerCodecRef, OperatorManifest, SegmentRef, StateManifest } from "../checkpoint/manifest.js";
import type { Codec, KeyCodec } from "../contracts/codec.js";
import { quoted, StateBackendError } from "../errors.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { Conversion } from "../segment/migrated-entries.js";
import type { StateDescriptor } from "../state/descriptors.js";
import { CELL_OFFSET } from "../table/state-table.js";

/** An operator as far as its codecs are concerned. */
export interface DeclaredCodecs {
  readonly name: string;
  readonly key: KeyCodec<never>;
  readonly states: Readonly<Record<string, StateDescriptor>>;
}

/** The old codec and the steps from its values to those of today, first step first. */
interface Path {
  readonly codec: Codec<unknown>;
  readonly steps: readonly ((old: unknown) => unknown)[];
}

const OPERATOR_KINDS: ReadonlySet<string> = new Set<StateDescriptor["kind"]>(["split-list", "union-list", "broadcast"]);
const LIST_KINDS: ReadonlySet<string> = new Set<StateDescriptor["kind"]>(["list", "split-list", "union-list"]);

export function isSameCodec(a: CodecName, b: CodecName): boolean {
  return a.id === b.id && a.version === b.version;
}

/** Whether `codec` takes over the values of the codec named `name`, in however many steps. */
export function takesOver(codec: Codec<unknown>, name: CodecName): boolean {
  return pathFrom(codec, name) !== undefined;
}

/** The codec of the values of a state. */
export function codecOf(descriptor: StateDescriptor): Codec<unknown> {
  return descriptor.kind === "namespaced" ? descriptor.inner.codec : descriptor.codec;
}

/**
 * Refuses segments with values of a codec that no declared one takes over.
 * @throws {StateBackendError} STATE_INCOMPATIBLE
 */
export function checkFormerCodecs(declared: DeclaredCodecs, source: OperatorManifest): void {
  for (const { former = [] } of source.tasks.flatMap(({ segments }) => segments)) {
    for (const { state: id, codec } of former) {
      const state = source.states.find((known) => known.id === id);
      if (state === undefined) continue;
      const descriptor = Object.hasOwn(declared.states, state.name) ? declared.states[state.name] : undefined;
      if (descriptor !== undefined) {
        const now = codecOf(descriptor);
        if (isSameCodec(now, codec) || takesOver(now, codec)) continue;
      }
      throw new StateBackendError(
        "STATE_INCOMPATIBLE",
        `The checkpoint still has values in a former codec of a state, and the state as declared does not take them over. operator=${quoted(declared.name)} state=${quoted(state.name)} declared=${descriptor === undefined ? "none" : quoted(codecText(codecOf(descriptor)))} former=${quoted(codecText(codec))}. Declare the former codec with evolved, or restore a full checkpoint or a savepoint that was taken with the codec that follows it.`,
      );
    }
  }
}

/** The segments, each with the states that are in another codec there than in the one declared now. */
export function withFormerCodecs(
  segments: readonly SegmentRef[],
  stored: readonly StateManifest[],
  declared: readonly StateManifest[],
): SegmentRef[] {
  const now = new Map(declared.map(({ id, codec }) => [id, codec]));
  return segments.map(({ former = [], ...ref }) => {
    const codecs = new Map(stored.map(({ id, codec }) => [id, codec]));
    for (const { state, codec } of former) codecs.set(state, codec);
    const others: FormerCodecRef[] = [];
    for (const [state, codec] of codecs) {
      const current = now.get(state);
      if (current !== undefined && !isSameCodec(current, codec)) others.push({ state, codec });
    }
    return others.length === 0 ? ref : { ...ref, former: others };
  });
}

/** The conversions that a task needs for its segments. */
export class ValueMigrations {
  readonly #declared: DeclaredCodecs;
  readonly #states: ReadonlyMap<number, StateManifest>;
  /** States whose stored values begin with their expiry. */
  readonly #expiring: ReadonlySet<number>;

  /** `states` with the ids and codecs of today, `stored` as they are in the checkpoint. */
  constructor(declared: DeclaredCodecs, states: readonly StateManifest[], stored: readonly StateManifest[]) {
    this.#declared = declared;
    this.#expiring = new Set(stored.filter(({ ttl }) => ttl !== undefined).map(({ id }) => id));
    this.#states = new Map(states.map((state) => [state.id, state]));
  }

  /** By state id, for the states of the segment that are in a former codec. */
  of({ former = [] }: SegmentRef): ReadonlyMap<number, Conversion> {
    return new Map(former.map((ref) => [ref.state, this.#conversion(ref)]));
  }

  /** The version of the codec that the manifest says a state has in a segment. */
  versionIn({ former = [] }: SegmentRef, stateId: number): number | undefined {
    const codec = former.find(({ state }) => state === stateId)?.codec ?? this.#states.get(stateId)?.codec;
    return codec?.version;
  }

  #conversion({ state: id, codec: name }: FormerCodecRef): Conversion {
    const state = this.#states.get(id);
    const descriptor = state === undefined ? undefined : this.#declared.states[state.name];
    const current = descriptor === undefined ? undefined : codecOf(descriptor);
    const path = current === undefined ? undefined : pathFrom(current, name);
    if (state === undefined || current === undefined || path === undefined) {
      throw new StateBackendError(
        "STATE_INCOMPATIBLE",
        `A state in a former codec is not declared with a codec that takes it over. operator=${quoted(this.#declared.name)} state=${quoted(state?.name ?? String(id))} former=${quoted(codecText(name))}. Declare the former codec with evolved.`,
      );
    }
    const convertValue = oneValue(path, current);
    const convertOne = this.#expiring.has(id) ? behindExpiry(convertValue) : convertValue;
    const convert = LIST_KINDS.has(state.kind) ? eachElement(convertOne) : convertOne;
    return (key, old, out) => {
      try {
        convert(old, out);
      } catch (cause) {
        throw this.#failed(state, { key, name, cause });
      }
    };
  }

  #failed(
    state: StateManifest,
    { key, name, cause }: { readonly key: BinaryKey; readonly name: CodecName; readonly cause: unknown },
  ): StateBackendError {
    const shown = OPERATOR_KINDS.has(state.kind) ? "none" : quoted(this.#shownKey(key));
    return new StateBackendError(
      "STATE_INCOMPATIBLE",
      `A value could not be migrated. operator=${quoted(this.#declared.name)} state=${quoted(state.name)} key=${shown} from=${quoted(codecText(name))} to=${quoted(codecText(state.codec))}. Nothing stored has changed: mend the former codec or its migration, and restore again.`,
      { cause },
    );
  }

  #shownKey(key: BinaryKey): string {
    const decoded: unknown = (this.#declared.key as unknown as KeyCodec<unknown>).decode(key, CELL_OFFSET).key;
    return typeof decoded === "string" ? decoded : inspect(decoded, { breakLength: Infinity });
  }
}

function pathFrom(codec: Codec<unknown>, name: CodecName): Path | undefined {
  for (const former of codec.former ?? []) {
    const step = (old: unknown): unknown => former.migrate(old);
    if (isSameCodec(former.codec, name)) return { codec: former.codec, steps: [step] };
    const longer = pathFrom(former.codec, name);
    if (longer !== undefined) return { codec: longer.codec, steps: [...longer.steps, step] };
  }
  return undefined;
}

type ConvertValue = (old: ByteReader, out: ByteWriter) => void;

function oneValue({ codec, steps }: Path, current: Codec<unknown>): ConvertValue {
  return (old, out) => {
    let value = codec.read(old);
    if (old.remaining !== 0) throw new TypeError(`The former codec left bytes unread. bytes=${old.remaining}.`);
    for (const step of steps) value = step(value);
    current.write(current.own(value), out);
  };
}

/** The expiry stays as it is: migrating a value is not writing it. */
function behindExpiry(convertValue: ConvertValue): ConvertValue {
  return (old, out) => {
    out.float64(old.float64());
    convertValue(old, out);
  };
}

/** An element is as long as it says, so each is written by itself first. */
function eachElement(convertOne: ConvertValue): ConvertValue {
  const scratch = new ByteWriter();
  return (old, out) => {
    const count = old.varint();
    out.varint(count);
    for (let left = count; left > 0; left--) {
      scratch.reset();
      convertOne(old.limited(old.varint()), scratch);
      out.varint(scratch.length);
      out.bytes(scratch.view());
    }
  };
}

function codecText({ id, version }: CodecName): string {
  return `${id} version ${version}`;
}
