/** CS1 to CS9 together: any program of calls gives what a map would give. */

import type { CheckpointStorage } from "@tidemark/core";
import fc from "fast-check";
import { expectEqual, expectThat, settled } from "../../oracles/expectations.js";
import { readObject } from "../../oracles/stored-objects.js";
import type { Law, LawContext, TestPlace } from "../../runner/law.js";
import { type Call, calls, lengthOf, nameOf, PREFIXES, programOf } from "./calls.js";
import { expectBytes, expectNames, expectRefusal, expectRefused, stream } from "./objects.js";

export const ANY_CALLS: Law = {
  id: "any-calls",
  contract: "storage",
  level: "objects",
  clauses: ["CS2", "CS3", "CS4", "CS5", "CS6", "CS7", "CS8", "CS9"],
  title: "Any program of calls gives what a map of names and bytes would give",
  async run(context) {
    const isShared = context.capabilities.shared;
    const programs = fc.array(calls, { maxLength: 40, size: "max" });
    const property = fc.asyncProperty(programs, (program) => runProgram(context, program));
    await context.check(property, context.runs(60), ([program]) => programOf(program, isShared));
  },
};

class MapWorld {
  readonly model = new Map<string, Buffer>();
  readonly context: LawContext;
  readonly place: TestPlace;
  readonly handles: CheckpointStorage[];

  constructor(context: LawContext, place: TestPlace, handles: CheckpointStorage[]) {
    this.context = context;
    this.place = place;
    this.handles = handles;
  }

  /** Which handle a call goes to; of a storage that is not shared there is one. */
  indexOf(handle: number): number {
    return handle % this.handles.length;
  }

  handle(index: number): CheckpointStorage {
    return this.handles[this.indexOf(index)] as CheckpointStorage;
  }
}

async function runProgram(context: LawContext, program: readonly Call[]): Promise<void> {
  const place = await context.place();
  const handles = [await place.open()];
  if (context.capabilities.shared) handles.push(await place.open());
  const world = new MapWorld(context, place, handles);
  for (const call of program) {
    context.coverage.count(call.kind);
    await RUNNERS[call.kind](world, call as never);
  }
  for (const handle of handles.splice(0)) await handle.close();
  const last = await place.open();
  await expectNames(last, [...world.model.keys()]);
  for (const [name, body] of world.model) {
    expectBytes(await readObject(last, name), body, `get(${JSON.stringify(name.slice(0, 30))}) at the end`);
  }
  await last.close();
}

type Of<Kind extends Call["kind"]> = Extract<Call, { readonly kind: Kind }>;

const RUNNERS: { readonly [Kind in Call["kind"]]: (world: MapWorld, call: Of<Kind>) => Promise<void> } = {
  put: async (world, call) => {
    const name = nameOf(call.name);
    const body = bodyOf(world, call.body);
    const stored = world.model.get(name);
    const put = (): Promise<string> =>
      world.handle(call.handle).put(name, inChunks(body, call.chunks), { ifAbsent: call.ifAbsent });
    if (stored !== undefined && !call.ifAbsent && !stored.equals(body)) {
      return expectRefused(put, "CHECKPOINT_CORRUPT", `put of other bytes as ${name.slice(0, 30)}`);
    }
    const expected = stored !== undefined && call.ifAbsent ? "exists" : "created";
    expectEqual(await put(), expected, `put of ${body.length} bytes as ${name.slice(0, 30)}`);
    if (stored === undefined) world.model.set(name, body);
  },

  get: async (world, { handle, name: index, start, length }) => {
    const name = nameOf(index);
    const stored = world.model.get(name);
    const range = length < 0 ? undefined : { start, end: start + length };
    const read = async (): Promise<Buffer> => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of world.handle(handle).get(name, range)) chunks.push(chunk);
      return Buffer.concat(chunks);
    };
    const what = `get of ${name.slice(0, 30)}`;
    if (stored === undefined) return expectRefused(read, "CHECKPOINT_NOT_FOUND", what);
    if ((range?.end ?? 0) > stored.length) return expectRefused(read, "CHECKPOINT_CORRUPT", `${what} beyond its end`);
    expectBytes(await read(), stored.subarray(range?.start ?? 0, range?.end ?? stored.length), what);
  },

  list: async (world, { handle, prefix: index }) => {
    const prefix = PREFIXES[index] ?? "";
    const expected = [...world.model].filter(([name]) => name.startsWith(prefix));
    const found: [string, number][] = [];
    for await (const { name, bytes } of world.handle(handle).list(prefix)) found.push([name, bytes]);
    const sorted = (entries: readonly (readonly [string, number])[]): string[] =>
      entries.map(([name, bytes]) => `${name} ${bytes}`).sort();
    expectEqual(sorted(found), sorted(expected.map(([name, { length }]) => [name, length])), `list of "${prefix}"`);
  },

  remove: async (world, { handle, names: indices }) => {
    const names = indices.map(nameOf);
    await world.handle(handle).remove(names);
    for (const name of names) world.model.delete(name);
  },

  race: async (world, { name: index, count }) => {
    const name = nameOf(index);
    const put = (number: number): Promise<string> =>
      world.handle(number).put(name, Buffer.from([number, number]), { ifAbsent: true });
    const outcomes = await Promise.all(Array.from({ length: count }, (_, number) => put(number)));
    const winners = outcomes.flatMap((outcome, number) => (outcome === "created" ? [number] : []));
    const isTaken = world.model.has(name);
    expectEqual(
      winners.length,
      isTaken ? 0 : 1,
      `Winners of ${count} concurrent creates${isTaken ? " of what exists" : ""}`,
    );
    if (!isTaken) world.model.set(name, Buffer.from([winners[0] ?? 0, winners[0] ?? 0]));
  },

  "read while put": async (world, { name: index, body: bodyIndex }) => {
    const name = nameOf(index);
    const before = world.model.get(name);
    const body = before ?? bodyOf(world, bodyIndex);
    const reader = world.handle(1);
    const put = settled(world.handle(0).put(name, inChunks(body, 3), { ifAbsent: true }));
    const seen = await settled(readObject(reader, name));
    const result = await put;
    expectEqual(result, { value: before === undefined ? "created" : "exists" }, `put of ${name.slice(0, 30)}`);
    if (!("error" in seen)) expectBytes(seen.value, body, "What a reader saw beside the put");
    else expectRefusal(seen, "CHECKPOINT_NOT_FOUND", "The reader beside a put");
    expectThat(before === undefined || !("error" in seen), "The object was absent while it was put again");
    world.model.set(name, body);
  },

  reopen: async (world, { handle }) => {
    const index = world.indexOf(handle);
    await world.handles[index]?.close();
    world.handles[index] = await world.place.open();
  },
};

/** Different bodies differ in every byte; those of the same number are alike. */
function bodyOf({ context }: MapWorld, index: number): Buffer {
  return Buffer.alloc(Math.min(lengthOf(index), context.capabilities.objectBytesMax), index + 1);
}

function inChunks(body: Buffer, chunks: number): Uint8Array | AsyncIterable<Uint8Array> {
  if (chunks === 0) return body;
  const size = Math.ceil(body.length / chunks);
  return stream(...Array.from({ length: chunks }, (_, index) => body.subarray(index * size, (index + 1) * size)));
}
