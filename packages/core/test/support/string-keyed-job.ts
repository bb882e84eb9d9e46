/** A job whose keys, namespaces and fields are strings in its checkpoint, and may be something else afterwards. */

import {
  type CheckpointStorage,
  defineOperator,
  evolvedKey,
  formerKey,
  type KeyCodec,
  map,
  memoryStorage,
  namespaced,
  openTask,
  string,
  text,
  value,
} from "../../src/index.js";

export type Keyed<K> = {
  readonly key: KeyCodec<K>;
  readonly field?: KeyCodec<string>;
  readonly namespace?: KeyCodec<string>;
};

/** Opens a job of text by text keys, or keys of today. */
export function plain<K>(
  { key, field = string(), namespace = string() }: Keyed<K>,
  storage: CheckpointStorage,
  job = "job",
) {
  const operator = defineOperator("op", {
    key,
    maxParallelism: 8,
    states: {
      n: value({ codec: text() }),
      m: map({ field, codec: text() }),
      w: namespaced(namespace, value({ codec: text() })),
    },
  });
  return openTask(operator, {
    job,
    backend: { name: "memory", sync: true, checkpoints: storage },
    graceMs: 0,
  });
}

/** A storage with two checkpoints of such a job. */
export async function written(): Promise<CheckpointStorage> {
  const storage = memoryStorage();
  const task = await plain({ key: string() }, storage);
  for (let i = 0; i < 50; i++) {
    task.n.set(`${i}`, "x");
    task.m.set(`${i}`, "Ab", "x");
    task.m.set(`${i}`, "c", "x");
    task.w.in("First").set(`${i}`, "x");
    task.w.in("second").set(`${i}`, "x");
  }
  task.n.set("gone", "x");
  await task.checkpoint();
  task.n.delete("gone");
  task.n.set("0", "y");
  await task.checkpoint();
  await task.close();
  return storage;
}

/** Strings as they are in lower case. */
export const lower = { ...string(), id: "lower", encode: (key: string) => string().encode(key.toLowerCase()) };
/** `codec`, taking over keys that are strings. */
export const fromString = <K>(codec: KeyCodec<K>, migrate: (old: string) => K): KeyCodec<K> =>
  evolvedKey(codec, formerKey(string(), migrate));
