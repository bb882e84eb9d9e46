/**
 * A job with every kind of state, beside a model of what it holds. Keys, namespaces and fields are small numbers to the model, and to the
 * job whatever their family makes of them: so the same model holds when the families change.
 */

import {
  aggregating,
  bigint,
  broadcast,
  bytes,
  type CheckpointStorage,
  type Codec,
  defineOperator,
  type FormerKeyCodec,
  formerKey,
  evolvedKey,
  integer,
  type Job,
  type KeyCodec,
  keyCodec,
  keyGroupOf,
  list,
  map,
  namespaced,
  number,
  openJob,
  reducing,
  type Restore,
  scalar,
  splitKeyGroups,
  splitList,
  string,
  type TaskOf,
  tuple,
  unionList,
  value,
} from "../../src/index.js";
import type { ManualClock } from "./manual-clock.js";
import type { SeededRandom } from "./seeded-random.js";

/** A type of keys, with one for each small number. */
export interface Family {
  readonly codec: KeyCodec<unknown>;
  of(id: number): unknown;
  idOf(key: unknown): number;
}

const IDS = 12;
const ids = Array.from({ length: IDS }, (_, id) => id);

function family<K>(codec: KeyCodec<K>, of: (id: number) => K): Family {
  const keys = new Map(ids.map((id) => [codec.encode(of(id)), id]));
  return {
    codec,
    of,
    idOf: (key) => keys.get(codec.encode(key as K)) as number,
  };
}

/** A codec of the user's own: text backwards, so that it sorts otherwise. */
export const backwards = keyCodec<string>({
  id: "backwards",
  version: 7,
  encode: (key) => string().encode([...key].reverse().join("")),
  decode(source, offset) {
    const { key, end } = string().decode(source, offset);
    return { key: [...key].reverse().join(""), end };
  },
});

const SCALARS = [true, "text", -4, 5n, Uint8Array.of(0, 9), ["a", ["b", 1]]];

export const families = {
  string: family(string(), (id) => `${id * 37}\u0000`),
  number: family(number(), (id) => (id === 3 ? Number.NaN : (id - 4) * 1.5)),
  bigint: family(bigint(), (id) => (BigInt(id) - 4n) ** 31n),
  bytes: family(bytes(), (id) => Uint8Array.of(0, id, 255)),
  scalar: family(scalar(), (id) => [id, SCALARS[id % SCALARS.length] ?? ""]),
  tuple: family(tuple(string(), number(), bytes()), (id) => [`${id % 3}`, -id, Uint8Array.of(0)] as const),
  own: family(backwards, (id) => `${id}of${IDS}`),
} satisfies Record<string, Family>;

/** `now`, taking over what `before` has written. */
export function grownFrom(now: Family, before: Family): Family {
  if (now.codec.id === before.codec.id) return now;
  const old: FormerKeyCodec<unknown> = formerKey(before.codec, (key) => now.of(before.idOf(key)));
  return { ...now, codec: evolvedKey(now.codec, old) };
}

export interface Shape<Value = number> {
  readonly key: Family;
  readonly namespace: Family;
  readonly field: Family;
  readonly codec?: Codec<Value>;
  readonly maxParallelism?: number;
}

function operatorOf({ key, namespace, field, codec = integer(), maxParallelism = 32 }: Shape) {
  const ttl = { ms: 1000, time: "processing" } as const;
  return defineOperator("op", {
    key: key.codec,
    maxParallelism,
    timers: { namespace: namespace.codec },
    states: {
      one: value({ codec }),
      brief: value({ codec, ttl }),
      many: list({ codec }),
      fields: map({ field: field.codec, codec, ttl }),
      sum: reducing<number>((a, b) => a + b, { codec }),
      count: aggregating<number, number, number>(
        { create: () => 0, add: (input, sum) => sum + input, result: (sum) => -sum },
        { codec },
      ),
      lists: namespaced(namespace.codec, list({ codec, ttl })),
      maps: namespaced(namespace.codec, map({ field: field.codec, codec })),
      split: splitList({ codec }),
      union: unionList({ codec }),
      everywhere: broadcast({ field: field.codec, codec }),
    },
  });
}

type Operator = ReturnType<typeof operatorOf>;
type Task = TaskOf<Operator, true>;

/** What a job holds: a description of the place and what is there. */
export type Content = Map<string, unknown>;

export interface OpenOptions {
  readonly storage: CheckpointStorage;
  readonly clock: ManualClock;
  readonly tasks?: number;
  readonly restore?: Restore;
}

export class KeyedJob {
  readonly #shape: Shape;
  readonly #job: Job<readonly Task[]>;

  private constructor(shape: Shape, job: Job<readonly Task[]>) {
    this.#shape = shape;
    this.#job = job;
  }

  static async open(shape: Shape, { storage, clock, tasks = 1, restore = "latest" }: OpenOptions): Promise<KeyedJob> {
    const operator = operatorOf(shape);
    const parts = splitKeyGroups(operator.maxParallelism, tasks).map((keyGroups) => ({ operator, keyGroups }));
    const backend = { name: "memory", sync: true, checkpoints: storage } as const;
    const job = await openJob({ job: "keyed", backend, tasks: parts, restore, clock, graceMs: 0, retain: 2 });
    return new KeyedJob(shape, job);
  }

  get tasks(): readonly Task[] {
    return this.#job.tasks;
  }

  get control(): Job<readonly Task[]> {
    return this.#job;
  }

  ownerOf(id: number): Task {
    const { key, maxParallelism = 32 } = this.#shape;
    const group = keyGroupOf(key.codec.hash(key.of(id)), maxParallelism);
    return this.#job.tasks.find(({ keyGroups }) => keyGroups.has(group)) as Task;
  }

  /** Changes something at random. */
  change(random: SeededRandom): void {
    const [id, ns, f, v] = [random.below(IDS), random.below(3), random.below(4), random.below(1000)];
    const [key, namespace, field] = [this.#shape.key.of(id), this.#shape.namespace.of(ns), this.#shape.field.of(f)];
    const { states, timers } = this.ownerOf(id);
    const actions = [
      () => states.one.set(key, v),
      () => states.one.delete(key),
      () => states.brief.set(key, v),
      () => states.many.addAll(key, [v, v + 1]),
      () => states.many.set(key, v % 3 === 0 ? [] : [v]),
      () => states.fields.set(key, field, v),
      () => states.fields.delete(key, field),
      () => states.fields.clear(key),
      () => states.sum.addSync(key, v),
      () => states.count.addSync(key, v),
      () => states.lists.in(namespace).add(key, v),
      () => states.lists.in(namespace).set(key, [v]),
      () => states.maps.in(namespace).set(key, field, v),
      () => states.maps.in(namespace).clear(key),
      () => timers.event.register(key, 100 + (v % 5), namespace),
      () => timers.event.delete(key, 100 + (v % 5), namespace),
      () => states.split.add(v),
      () => states.union.set([v, v]),
      () => this.#job.tasks.map((task) => task.states.everywhere.set(field, v)),
      () => this.#job.tasks.map((task) => task.states.everywhere.delete(field)),
    ];
    actions[random.below(actions.length)]?.();
  }

  /** All that the job holds, in the terms of the model. */
  content(): Content {
    const content: Content = new Map();
    const { key: keys, namespace: namespaces, field } = this.#shape;
    const put = (place: string, held: unknown): unknown => content.set(place, held);
    const fieldsOf = (entries: Iterable<readonly [unknown, unknown]>): unknown[] =>
      [...entries].map(([f, v]) => `${field.idOf(f)}=${String(v)}`).sort();
    for (const { states, timers } of this.#job.tasks) {
      for (const key of states.one.keysSync()) put(`one ${keys.idOf(key)}`, states.one.getSync(key));
      for (const key of states.brief.keysSync()) put(`brief ${keys.idOf(key)}`, states.brief.getSync(key));
      for (const key of states.many.keysSync()) put(`many ${keys.idOf(key)}`, states.many.getSync(key));
      for (const key of states.fields.keysSync()) {
        put(`fields ${keys.idOf(key)}`, fieldsOf(states.fields.entriesSync(key)));
      }
      for (const key of states.sum.keysSync()) put(`sum ${keys.idOf(key)}`, states.sum.getSync(key));
      for (const key of states.count.keysSync()) put(`count ${keys.idOf(key)}`, states.count.getSync(key));
      for (const ns of ids) {
        const [lists, maps] = [states.lists.in(namespaces.of(ns)), states.maps.in(namespaces.of(ns))];
        for (const key of lists.keysSync()) put(`lists ${keys.idOf(key)} ${ns}`, lists.getSync(key));
        for (const key of maps.keysSync()) put(`maps ${keys.idOf(key)} ${ns}`, fieldsOf(maps.entriesSync(key)));
      }
      for (const { time, key, namespace } of timers.event.entries()) {
        put(`timer ${time} ${keys.idOf(key)} ${namespaces.idOf(namespace)}`, true);
      }
    }
    return new Map([...content].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Operator state, by task. */
  operatorState(): unknown[] {
    return this.#job.tasks.map(({ states }) => ({
      split: states.split.get(),
      union: states.union.get(),
      everywhere: [...states.everywhere.entries()].map(([f, v]) => `${this.#shape.field.idOf(f)}=${v}`).sort(),
    }));
  }
}
