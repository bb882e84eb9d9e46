/**
 * Storages that break the contract, each in one way that has been seen in the wild. Every one is caught by a property, or the
 * property is worth nothing.
 */

import { createHash } from "node:crypto";
import type { ByteRange, CheckpointStorage, PutOptions, StoredObject } from "@tidemark/core";
import { objectKind } from "../faults/scripted-storage.js";
import type { Place } from "../harness.js";

/** Which property must catch it. */
export type Catcher = "any history" | "containment" | "contention" | "race to own" | "retention";

export interface BrokenStorage {
  readonly what: string;
  readonly caughtBy: Catcher;
  /** What a new place does differently, for all of its handles. */
  readonly make: () => (inner: CheckpointStorage) => Partial<CheckpointStorage>;
  /** Undoes what it has done to the process. */
  readonly repair?: () => void;
}

/** Places whose storage is broken. */
export function brokenPlace(place: Place, { make }: BrokenStorage): Place {
  const change = make();
  return {
    open() {
      const inner = place.open();
      const whole: CheckpointStorage = {
        put: (name, body, options) => inner.put(name, body, options),
        get: (name, range) => inner.get(name, range),
        list: (prefix) => inner.list(prefix),
        remove: (names) => inner.remove(names),
        close: () => inner.close(),
      };
      return { ...whole, ...change(inner) };
    },
  };
}

type Body = Uint8Array | AsyncIterable<Uint8Array>;

/** True at each `n`th call. */
function every(n: number): () => boolean {
  let count = 0;
  return () => ++count % n === 0;
}

async function whole(body: Body): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body instanceof Uint8Array ? [body] : body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function namesUnder(inner: CheckpointStorage, prefix: string): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  for await (const object of inner.list(prefix)) found.push(object);
  return found;
}

const readAll = (inner: CheckpointStorage, name: string, range?: ByteRange) => whole(inner.get(name, range));

/** A put that changes every manifest and seals it anew. */
export function manifests(change: (document: ManifestText) => void): BrokenStorage["make"] {
  return () => (inner) => ({
    async put(name, body, options) {
      const kind = objectKind(name);
      if (kind !== "manifest" && kind !== "savepoint") return inner.put(name, body, options);
      return inner.put(name, resealed(await whole(body), change), options);
    },
  });
}

/** What a manifest says of tasks, as far as it is changed. */
export interface ManifestText {
  readonly operators: readonly {
    readonly tasks: readonly { readonly time?: { processing: number; watermark: number | null } }[];
  }[];
}

function resealed(bytes: Buffer, change: (document: ManifestText) => void): Buffer {
  const lineEnd = bytes.indexOf("\n");
  const [magic, version] = bytes.subarray(0, lineEnd).toString("latin1").split(" ");
  const document = JSON.parse(bytes.subarray(lineEnd + 1).toString("utf8")) as ManifestText;
  change(document);
  const text = JSON.stringify(document);
  const sha256 = createHash("sha256").update(text).digest("hex");
  return Buffer.from(`${magic} ${version} ${sha256}\n${text}\n`);
}

/** A put that is different at every `n`th object of a kind. */
function putEvery(n: number, kind: string, put: (inner: CheckpointStorage, name: string, body: Body) => Promise<void>) {
  return () => {
    const isDue = every(n);
    return (inner: CheckpointStorage): Partial<CheckpointStorage> => ({
      async put(name: string, body: Body, options?: PutOptions) {
        if (objectKind(name) !== kind || !isDue()) return inner.put(name, body, options);
        await put(inner, name, body);
        return "created";
      },
    });
  };
}

/** A read that is different at every `n`th call. */
function getEvery(n: number, change: (bytes: Buffer) => Uint8Array) {
  return () => {
    const isDue = every(n);
    return (inner: CheckpointStorage): Partial<CheckpointStorage> => ({
      async *get(name: string, range?: ByteRange) {
        const bytes = await readAll(inner, name, range);
        yield* one(isDue() ? change(bytes) : bytes);
      },
    });
  };
}

/** A listing that shows less. */
function lists(change: (objects: StoredObject[]) => StoredObject[]): BrokenStorage["make"] {
  return () => (inner) => ({
    async *list(prefix: string) {
      yield* change(await namesUnder(inner, prefix));
    },
  });
}

export const BROKEN_STORAGES: readonly BrokenStorage[] = [
  {
    what: "loses a segment now and then",
    caughtBy: "any history",
    make: putEvery(5, "segment", async (_, __, body) => void (await whole(body))),
  },
  {
    what: "loses a manifest now and then",
    caughtBy: "any history",
    make: putEvery(3, "manifest", async (_, __, body) => void (await whole(body))),
  },
  {
    what: "stores half of a segment",
    caughtBy: "any history",
    make: putEvery(5, "segment", async (inner, name, body) => {
      const bytes = await whole(body);
      await inner.put(name, bytes.subarray(0, bytes.length >>> 1));
    }),
  },
  {
    what: "applies a put and says that it surely did not",
    caughtBy: "any history",
    make: putEvery(4, "manifest", async (inner, name, body) => {
      await inner.put(name, body, { ifAbsent: true });
      const error = new Error("Injected failure.");
      throw Object.assign(error, {
        code: "UNAVAILABLE",
        outcome: "not-applied",
        [Symbol.for("tidemark.StateBackendError")]: true,
      });
    }),
  },
  {
    what: "shows a manifest only after the next one, or when segments are listed",
    caughtBy: "any history",
    make: () => {
      let pending: (() => Promise<unknown>) | undefined;
      const settle = async (): Promise<void> => {
        const work = pending;
        pending = undefined;
        await work?.();
      };
      return (inner) => ({
        async put(name, body, options) {
          const bytes = await whole(body);
          if (objectKind(name) !== "manifest") return inner.put(name, bytes, options);
          await settle();
          pending = () => inner.put(name, bytes, options);
          return "created";
        },
        async *list(prefix) {
          const objects = await namesUnder(inner, prefix);
          if (prefix.endsWith("/segment/")) await settle();
          yield* objects;
        },
      });
    },
  },
  {
    what: "forgets ifAbsent and replaces",
    caughtBy: "race to own",
    make: () => (inner) => ({
      async put(name, body, options) {
        if (options?.ifAbsent === true) await inner.remove([name]);
        return inner.put(name, body, options);
      },
    }),
  },
  {
    what: "says created of what exists",
    caughtBy: "race to own",
    make: () => (inner) => ({
      async put(name, body, options) {
        await inner.put(name, body, options);
        return "created";
      },
    }),
  },
  { what: "lists all but the last object", caughtBy: "any history", make: lists((objects) => objects.slice(0, -1)) },
  { what: "lists nothing at all", caughtBy: "any history", make: lists(() => []) },
  {
    what: "lists what was there before the last change",
    caughtBy: "any history",
    make: () => {
      const before = new Map<string, StoredObject[]>();
      return (inner) => ({
        async *list(prefix) {
          const now = await namesUnder(inner, prefix);
          yield* before.get(prefix) ?? now;
          before.set(prefix, now);
        },
      });
    },
  },
  {
    what: "lists objects of other prefixes under their last part",
    caughtBy: "any history",
    make: () => (inner) => ({
      async *list(prefix) {
        const folder = prefix.split("/").at(-2) ?? "";
        for (const { name, bytes } of await namesUnder(inner, "")) {
          if (name.includes(`/${folder}/`)) yield { name: prefix + (name.split("/").at(-1) ?? ""), bytes };
        }
      },
    }),
  },
  { what: "cuts what it reads", caughtBy: "any history", make: getEvery(7, (bytes) => bytes.subarray(0, -1)) },
  {
    what: "flips a bit of what it reads",
    caughtBy: "any history",
    make: getEvery(7, (bytes) =>
      bytes.fill((bytes[bytes.length >>> 1] ?? 0) ^ 1, bytes.length >>> 1, (bytes.length >>> 1) + 1),
    ),
  },
  {
    what: "ignores ranges",
    caughtBy: "any history",
    make: () => (inner) => ({ get: (name) => inner.get(name) }),
  },
  {
    what: "gives the content of the object that was stored before",
    caughtBy: "any history",
    make: () => {
      const previous = new Map<string, string>();
      let last = new Map<string, string>();
      return (inner) => ({
        put(name, body, options) {
          const kind = objectKind(name);
          previous.set(name, last.get(kind) ?? name);
          last = new Map(last).set(kind, name);
          return inner.put(name, body, options);
        },
        get: (name, range) => inner.get(name.includes("/segment/") ? (previous.get(name) ?? name) : name, range),
      });
    },
  },
  { what: "never removes", caughtBy: "retention", make: () => () => ({ remove: async () => {} }) },
  {
    what: "removes the first object only",
    caughtBy: "retention",
    make: () => (inner) => ({ remove: (names) => inner.remove(names.slice(0, 1)) }),
  },
  {
    what: "brings removed objects back",
    caughtBy: "retention",
    make: () => {
      const isDue = every(3);
      return (inner) => ({
        async remove(names) {
          const kept = await Promise.all(names.map(async (name) => [name, await readAll(inner, name)] as const));
          await inner.remove(names);
          if (isDue()) for (const [name, body] of kept) await inner.put(name, body);
        },
      });
    },
  },
  {
    what: "removes everything that begins alike",
    caughtBy: "any history",
    make: () => (inner) => ({
      async remove(names) {
        for (const name of names) {
          const alike = await namesUnder(inner, `${name.split("/").slice(0, -1).join("/")}/`);
          await inner.remove(
            alike.map((object) => object.name).filter((other) => other.slice(0, -3) === name.slice(0, -3)),
          );
        }
      },
    }),
  },
  {
    what: "cuts names at 80 characters",
    caughtBy: "any history",
    make: () => (inner) => ({
      put: (name, body, options) => inner.put(name.slice(0, 80), body, options),
      get: (name, range) => inner.get(name.slice(0, 80), range),
      remove: (names) => inner.remove(names.map((name) => name.slice(0, 80))),
    }),
  },
];
