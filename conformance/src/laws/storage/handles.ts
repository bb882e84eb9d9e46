/** CS9, and what a handle leaves behind. */

import { readdirSync } from "node:fs";
import { isStateBackendError, StateBackendError } from "@tidemark/core";
import { expectEqual, expectThat, settled } from "../../oracles/expectations.js";
import { listNames, readObject } from "../../oracles/stored-objects.js";
import { Blame } from "../../runner/blame.js";
import type { Law, TestPlace } from "../../runner/law.js";
import {
  bytes,
  expectBytes,
  expectNames,
  expectObject,
  expectRefusal,
  expectRefused,
  someBytes,
  stream,
} from "./objects.js";

const OBJECTS = { contract: "storage", level: "objects", clauses: ["CS9"] } as const;
const HANDLES = 24;
/** Of many handles, so many may still be held: by pools, and by what the runtime keeps. */
const HELD_MAX = HANDLES / 2;

export const HANDLE_LAWS: readonly Law[] = [
  {
    ...OBJECTS,
    id: "close-waits",
    title: "Closing waits for calls under way, keeps what is stored, and may be repeated; later calls are CLOSED",
    async run(context) {
      const place = await context.place();
      const storage = await place.open();
      const put = settled(storage.put("a", stream(bytes("x"), bytes("y"))));
      const closed = storage.close();
      await expectRefused(() => storage.put("b", bytes("x")), "CLOSED", "put while it closes");
      expectEqual(await put, { value: "created" }, "The put that was under way");
      await closed;
      await storage.close();
      await expectRefused(() => readObject(storage, "a"), "CLOSED", "get of a closed handle");
      await expectRefused(() => listNames(storage, ""), "CLOSED", "list of a closed handle");
      await expectRefused(() => storage.remove(["a"]), "CLOSED", "remove of a closed handle");
      const next = await place.open();
      await expectNames(next, ["a"]);
      await expectObject(next, "a", bytes("xy"));
    },
  },
  {
    ...OBJECTS,
    id: "readers-end-with-close",
    title: "A reader whose handle is closed gives the rest or CLOSED, and never a shorter object",
    async run(context) {
      const storage = await (await context.place()).open();
      const body = someBytes(Math.min(1_200_000, context.capabilities.objectBytesMax));
      await storage.put("a", body);
      const reader = storage.get("a")[Symbol.asyncIterator]();
      const first = await reader.next();
      const chunks: Uint8Array[] = first.done === true ? [] : [first.value];
      await storage.close();
      const rest = await settled(
        (async () => {
          for (let next = await reader.next(); next.done !== true; next = await reader.next()) chunks.push(next.value);
        })(),
      );
      if (!("error" in rest)) return expectBytes(Buffer.concat(chunks), body, "What the reader gave in the end");
      expectRefusal(rest, "CLOSED", "The reader of a closed handle");
    },
  },
  {
    ...OBJECTS,
    id: "handles-released",
    title: "A closed handle holds no files, sockets or timers",
    async run(context) {
      const place = await context.place();
      await useOnce(place);
      const before = heldResources();
      for (let index = 0; index < HANDLES; index++) await useOnce(place);
      const after = heldResources();
      for (const [kind, count] of after) {
        const more = count - (before.get(kind) ?? 0);
        expectThat(more < HELD_MAX, `${more} more of ${kind} are held after ${HANDLES} handles were opened and closed`);
      }
    },
  },
  {
    id: "one-copy-of-core",
    contract: "storage",
    level: "objects",
    clauses: [],
    judgesHarness: true,
    title: "Adapter and kit use one copy of @tidemark/core",
    async run(context) {
      const storage = await (await context.place()).open();
      const result = await settled(readObject(storage, "absent"));
      if (!("error" in result)) throw new Error("The read of an absent object did not fail");
      requireOwnCore(result.error);
    },
  },
];

function requireOwnCore(error: unknown): void {
  if (!isStateBackendError(error) || error instanceof StateBackendError) return;
  throw new Blame(
    "installation",
    "The adapter throws errors of another copy of @tidemark/core than the kit's. Make @tidemark/core a peer dependency of the adapter, install one version of it, and throw its StateBackendError.",
  );
}

async function useOnce(place: TestPlace): Promise<void> {
  const storage = await place.open();
  await storage.put("a/b", bytes("x"));
  await expectObject(storage, "a/b", bytes("x"));
  await listNames(storage, "");
  await storage.remove(["a/b"]);
  await storage.close();
}

/** What this process holds, by kind. */
function heldResources(): Map<string, number> {
  const held = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) held.set(kind, (held.get(kind) ?? 0) + 1);
  const files = openFiles();
  if (files !== undefined) held.set("open files", files);
  return held;
}

/** How many files are open; only Linux says so. */
function openFiles(): number | undefined {
  if (process.platform !== "linux") return undefined;
  return readdirSync("/proc/self/fd").length;
}
