/** Storages whose objects are no registers: each call by itself looks right, and no order explains what several callers are told. */

import { type CheckpointStorage, hasCode, type StoredObject, systemClock } from "@tidemark/core";
import { readObject } from "../oracles/stored-objects.js";
import type { BrokenStorage } from "./broken-storages.js";

type Body = Parameters<CheckpointStorage["put"]>[1];

export const BROKEN_REGISTERS: readonly BrokenStorage[] = [
  {
    what: "looks whether an object is there, and then creates it",
    caughtBy: "contention",
    make: () => (inner) => ({
      async put(name, body, options) {
        const bytes = await whole(body);
        if (options?.ifAbsent !== true) return inner.put(name, bytes, options);
        if ((await contentOf(inner, name)) !== undefined) return "exists";
        await systemClock.yield();
        await inner.remove([name]);
        return inner.put(name, bytes);
      },
    }),
  },
  {
    what: "says that an object exists before it can be seen",
    caughtBy: "contention",
    make: () => {
      const claimed = new Set<string>();
      return (inner) => ({
        async put(name, body, options) {
          if (options?.ifAbsent !== true) return inner.put(name, body, options);
          if (claimed.has(name)) return "exists";
          claimed.add(name);
          await turns(2);
          return inner.put(name, body, options);
        },
        async remove(names) {
          await inner.remove(names);
          for (const name of names) claimed.delete(name);
        },
      });
    },
  },
  {
    what: "remembers that an object is absent",
    caughtBy: "contention",
    make: () => (inner) => {
      const absent = new Set<string>();
      return {
        async *get(name, range) {
          // Once: else even a test of single calls would see it.
          if (absent.delete(name)) yield* inner.get("tidemark/absent", range);
          else {
            try {
              yield* inner.get(name, range);
            } catch (error) {
              if (hasCode(error, "CHECKPOINT_NOT_FOUND")) absent.add(name);
              throw error;
            }
          }
        },
      };
    },
  },
  {
    what: "lists what it has listed a moment ago",
    caughtBy: "contention",
    make: () => {
      let last: { readonly prefix: string; readonly objects: readonly StoredObject[]; left: number } | undefined;
      return (inner) => ({
        async *list(prefix) {
          if (last?.prefix !== prefix || last.left-- <= 0) {
            const objects: StoredObject[] = [];
            for await (const object of inner.list(prefix)) objects.push(object);
            last = { prefix, objects, left: 1 };
          }
          yield* last.objects;
        },
      });
    },
  },
  {
    what: "sends a create again, and says that it was too late",
    caughtBy: "contention",
    make: () => {
      let creates = 0;
      return (inner) => ({
        async put(name, body, options) {
          const bytes = await whole(body);
          const first = await inner.put(name, bytes, options);
          return options?.ifAbsent === true && ++creates % 3 === 0 ? inner.put(name, bytes, options) : first;
        },
      });
    },
  },
  {
    what: "says that objects are removed before they are",
    caughtBy: "contention",
    make: () => (inner) => ({
      async remove(names) {
        void turns(2).then(() => inner.remove(names));
      },
    }),
  },
  {
    what: "keeps the bytes of the last who creates",
    caughtBy: "contention",
    make: () => {
      const underWay = new Map<string, { body: Body }>();
      return (inner) => ({
        async put(name, body, options) {
          const other = underWay.get(name);
          if (options?.ifAbsent !== true) return inner.put(name, body, options);
          if (other !== undefined) {
            other.body = body;
            await turns(2);
            return "exists";
          }
          const own = { body };
          underWay.set(name, own);
          await systemClock.yield();
          underWay.delete(name);
          return inner.put(name, own.body, options);
        },
      });
    },
  },
];

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await systemClock.yield();
}

async function whole(body: Body): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body instanceof Uint8Array ? [body] : body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function contentOf(inner: CheckpointStorage, name: string): Promise<Buffer | undefined> {
  try {
    return await readObject(inner, name);
  } catch (error) {
    if (hasCode(error, "CHECKPOINT_NOT_FOUND")) return undefined;
    throw error;
  }
}
