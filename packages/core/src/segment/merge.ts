/**
 * Merges sorted runs into one: the newest entry of a key wins, and a clear removes older entries under its key.
 *
 * Invariants:
 * - Sources come oldest first. Each is sorted; keys of one source are distinct.
 * - A clear in a source removes entries of older sources only: its own source holds what came after it.
 * - What has expired counts as a deletion: it hides what older runs hold under its key, also outside of this merge.
 * - With `dropTombstones` the result stands on nothing older, so deletions are left out.
 * - A packed entry of which a newer run changes a field becomes entries of its fields (`unpacking.ts`).
 */

import { type BinaryKey, readUint16 } from "../key/binary-key.js";
import { type EntryBlock, type EntrySource, FLAG_CLEAR, FLAG_EXPIRES } from "./entry-block.js";
import { type EntrySink, tombstone, Unpacking } from "./unpacking.js";

class Cursor {
  readonly rank: number;
  readonly #blocks: AsyncIterator<EntryBlock>;
  block: EntryBlock | undefined;
  position = 0;
  key: BinaryKey | undefined;
  // The first ten bytes of the key as two numbers: mostly they decide which of two keys is smaller, without a look at the text.
  head = 0;
  lead = 0;

  constructor(source: EntrySource, rank: number) {
    this.rank = rank;
    this.#blocks = source[Symbol.asyncIterator]();
  }

  /** Fetches blocks until one has an entry, or the source ends. */
  async load(): Promise<void> {
    do {
      const next = await this.#blocks.next();
      this.block = next.done === true ? undefined : next.value;
    } while (this.block !== undefined && this.block.count === 0);
    this.position = 0;
    this.#enter(this.block?.keys[0]);
  }

  /** Moves on inside the block; false if the block is used up. */
  step(): boolean {
    this.position++;
    this.#enter(this.block?.keys[this.position]);
    return this.key !== undefined;
  }

  isBefore(other: Cursor): boolean {
    if (this.head !== other.head) return this.head < other.head;
    if (this.lead !== other.lead) return this.lead < other.lead;
    return (this.key as BinaryKey) < (other.key as BinaryKey);
  }

  isAt(key: BinaryKey, head: number, lead: number): boolean {
    return this.head === head && this.lead === lead && this.key === key;
  }

  #enter(key: BinaryKey | undefined): void {
    this.key = key;
    if (key === undefined) return;
    this.head = bytesAt(key, 0, 4);
    this.lead = bytesAt(key, 4, 10);
  }

  async close(): Promise<void> {
    await this.#blocks.return?.();
  }
}

/**
 * Sends the merged entries of `sources` to `sink`, in ascending key order. Yields between blocks, so that whoever drives it
 * can empty the sink and let others run.
 */
export async function* mergeRuns(
  sources: readonly EntrySource[],
  sink: EntrySink,
  { dropTombstones, nowOf = noTime, unpacksAll = false }: MergeOptions,
): AsyncGenerator<void, void, undefined> {
  const unpacking = new Unpacking(sink, { dropTombstones, unpacksAll });
  const target = { sink: unpacking.take, nowOf };
  const [first, ...others] = sources;
  if (first !== undefined) yield* others.length === 0 ? passOn(first, target) : mergeAll(sources, target);
  unpacking.flush();
  yield;
}

/** What is alone is in order, and its clears are of nothing that is there. */
async function* passOn(source: EntrySource, target: MergeTarget): AsyncGenerator<void, void, undefined> {
  for await (const block of source) {
    for (let at = 0; at < block.count; at++) send(block, at, target);
    yield;
  }
}

async function* mergeAll(sources: readonly EntrySource[], target: MergeTarget): AsyncGenerator<void, void, undefined> {
  const cursors = sources.map((source, rank) => new Cursor(source, rank));
  try {
    for (const cursor of cursors) await cursor.load();
    const filter = new ClearFilter();
    let live = cursors.filter((cursor) => cursor.key !== undefined);
    while (live.length > 0) {
      const used = mergeUntilBlockEnds(live, filter, target);
      yield;
      for (const cursor of used) await cursor.load();
      if (used.some((cursor) => cursor.key === undefined)) live = live.filter((cursor) => cursor.key !== undefined);
    }
  } finally {
    for (const cursor of cursors) await cursor.close();
  }
}

/** What a merge leaves out. */
export interface MergeOptions {
  /** Whether nothing older stands below, so that deletions need not be kept. */
  readonly dropTombstones: boolean;
  /** What time it is for a state, by its id; entries that have expired by then become deletions. */
  readonly nowOf?: (stateId: number) => number | undefined;
  /**
   * Whether no packed entry may come out.
   * @defaultValue false
   */
  readonly unpacksAll?: boolean;
}

interface MergeTarget {
  readonly sink: EntrySink;
  readonly nowOf: (stateId: number) => number | undefined;
}

/** Sends an entry that counts; as a deletion, if it has expired. */
function send(block: EntryBlock, at: number, { sink, nowOf }: MergeTarget): void {
  const flags = block.flags[at] as number;
  const isExpired = (flags & FLAG_EXPIRES) !== 0 && hasExpired(block, at, nowOf);
  if (isExpired) sink(tombstone(block.keys[at] as BinaryKey, flags), 0);
  else sink(block, at);
}

function noTime(): undefined {
  return undefined;
}

function hasExpired(block: EntryBlock, at: number, nowOf: (stateId: number) => number | undefined): boolean {
  const now = nowOf(readUint16(block.keys[at] as BinaryKey, 2));
  if (now === undefined) return false;
  const expiry = block.bytes.readDoubleBE(block.starts[at]);
  return expiry <= now && expiry !== Number.MAX_SAFE_INTEGER;
}

/** Merges synchronously until some cursors need their next block; returns those. `live` is ordered oldest first. */
function mergeUntilBlockEnds(live: readonly Cursor[], filter: ClearFilter, target: MergeTarget): Cursor[] {
  const used: Cursor[] = [];
  while (used.length === 0) {
    const winner = newestOfSmallest(live);
    const { head, lead } = winner;
    const key = winner.key as BinaryKey;
    const block = winner.block as EntryBlock;
    const at = winner.position;
    if (filter.admits(key, winner.rank)) {
      if (((block.flags[at] as number) & FLAG_CLEAR) !== 0) filter.raise(key, winner.rank);
      send(block, at, target);
    }
    for (const cursor of live) {
      if (cursor.isAt(key, head, lead) && !cursor.step()) used.push(cursor);
    }
  }
  return used;
}

function newestOfSmallest(live: readonly Cursor[]): Cursor {
  let best = live[live.length - 1] as Cursor;
  for (let i = live.length - 2; i >= 0; i--) {
    const cursor = live[i] as Cursor;
    if (cursor.isBefore(best)) best = cursor;
  }
  return best;
}

/** Bytes `start` to `end - 1` as a number, big-endian; missing ones are 0. */
function bytesAt(key: BinaryKey, start: number, end: number): number {
  let bytes = 0;
  for (let at = start; at < end; at++) bytes = bytes * 256 + (at < key.length ? key.charCodeAt(at) : 0);
  return bytes;
}

/** Knows which entries a clear has removed. Clears never nest: they stand at the key of one container. */
class ClearFilter {
  #prefix: BinaryKey | undefined;
  #rank = -1;

  admits(key: BinaryKey, rank: number): boolean {
    if (this.#prefix === undefined) return true;
    if (!key.startsWith(this.#prefix)) {
      this.#prefix = undefined;
      return true;
    }
    return rank >= this.#rank;
  }

  raise(prefix: BinaryKey, rank: number): void {
    this.#prefix = prefix;
    this.#rank = rank;
  }
}
