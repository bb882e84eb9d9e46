/**
 * Sorts entries that come in any order into one segment per output, in bounded memory: what fills the memory becomes a sorted run, a
 * segment of its own, and the runs of an output are merged in the end.
 *
 * Invariants:
 * - Keys of one output are distinct. Entries under the key of a clear come after it, so that a run never holds what a later one clears.
 * - Runs are in the order in which they were filled, and a level of merging keeps that order. Only the last segment stands on nothing.
 */

import { ByteWriter } from "../bytes/byte-writer.js";
import { BASE_LEVEL } from "../checkpoint/compaction.js";
import type { SegmentRef } from "../checkpoint/manifest.js";
import { uploadSegment } from "../checkpoint/segment-upload.js";
import { openEntries, type SegmentPlace } from "../checkpoint/task-chain.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { EntryBlock, EntrySource } from "../segment/entry-block.js";
import type { Compression } from "../segment/format.js";
import type { Slicer } from "../segment/slicer.js";
import { sortKeys, TextKeys } from "../table/sort-keys.js";

/** So many runs are merged at once: each takes about a megabyte while it is read. */
const FAN_IN = 16;
const BLOCK_ROWS = 256;
/** What an entry takes besides the bytes of its key and value: its places in lists, and what it is sorted by. */
const ENTRY_BYTES = 128;

export interface SorterOptions {
  readonly place: SegmentPlace;
  readonly outputCount: number;
  /** Runs an upload under a name that was never used. */
  readonly use: <T>(upload: (nextLeaf: () => string) => Promise<T>) => Promise<T>;
  readonly compression: Compression;
  readonly codecVersions: ReadonlyMap<number, number>;
  readonly slicer: Slicer;
  /** What entries may take in memory, of all outputs together. */
  readonly memoryBytes: number;
}

/** What became of the entries. */
export interface SortedSegments {
  /** By output; `undefined` if it got no entries. */
  readonly segments: readonly (SegmentRef | undefined)[];
  /** Names of segments that were needed on the way only. */
  readonly leftOver: readonly string[];
}

export class SegmentSorter {
  readonly #options: SorterOptions;
  readonly #open: OpenRun[];
  readonly #runs: SegmentRef[][];
  #bytes = 0;

  constructor(options: SorterOptions) {
    this.#options = options;
    this.#open = Array.from({ length: options.outputCount }, () => new OpenRun());
    this.#runs = this.#open.map(() => []);
  }

  /** Whether `flush` is to be called before more is added. */
  get isFull(): boolean {
    return this.#bytes >= this.#options.memoryBytes;
  }

  /** Adds entry `at` of `block` to an output, under another key. */
  add(output: number, key: BinaryKey, { block, at }: { readonly block: EntryBlock; readonly at: number }): void {
    this.#bytes += (this.#open[output] as OpenRun).add(key, block, at);
  }

  /** Writes the largest run. */
  async flush(): Promise<void> {
    let largest = 0;
    for (const [output, run] of this.#open.entries()) {
      if (run.bytes > (this.#open[largest] as OpenRun).bytes) largest = output;
    }
    await this.#write(largest, false);
  }

  /** Writes what is left, and makes one segment of the runs of each output. */
  async finish(): Promise<SortedSegments> {
    const segments: (SegmentRef | undefined)[] = [];
    const leftOver: string[] = [];
    for (const [output, { bytes }] of this.#open.entries()) {
      if (bytes > 0) await this.#write(output, this.#runs[output]?.length === 0);
      let level = this.#runs[output] as readonly SegmentRef[];
      while (level.length > 1) {
        leftOver.push(...level.map(({ name }) => name));
        level = await this.#mergeLevel(level);
      }
      segments.push(level[0]);
    }
    return { segments, leftOver: leftOver.filter((name) => !segments.some((segment) => segment?.name === name)) };
  }

  async #write(output: number, isBase: boolean): Promise<void> {
    const run = this.#open[output] as OpenRun;
    this.#open[output] = new OpenRun();
    this.#bytes -= run.bytes;
    this.#runs[output]?.push(await this.#upload([await run.sorted(this.#options.slicer)], isBase));
  }

  async #mergeLevel(runs: readonly SegmentRef[]): Promise<SegmentRef[]> {
    const merged: SegmentRef[] = [];
    for (let at = 0; at < runs.length; at += FAN_IN) {
      const together = runs.slice(at, at + FAN_IN);
      const sources: EntrySource[] = [];
      for (const ref of together) sources.push(await openEntries(this.#options.place, ref, undefined));
      merged.push(
        together.length === 1 ? (together[0] as SegmentRef) : await this.#upload(sources, runs.length <= FAN_IN),
      );
    }
    return merged;
  }

  #upload(sources: readonly EntrySource[], isBase: boolean): Promise<SegmentRef> {
    const { place, use, compression, codecVersions, slicer } = this.#options;
    return use((nextLeaf) =>
      uploadSegment({
        storage: place.storage,
        prefix: place.prefix,
        leaf: nextLeaf(),
        sources,
        isBase,
        level: BASE_LEVEL,
        compression,
        codecVersions,
        slicer,
        signal: new AbortController().signal,
      }),
    );
  }
}

/** Entries in memory, in the order in which they came. */
class OpenRun {
  readonly #keys: BinaryKey[] = [];
  readonly #flags: number[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #values = new ByteWriter();
  bytes = 0;

  /** How many bytes it takes. */
  add(key: BinaryKey, block: EntryBlock, at: number): number {
    const [start, end] = [block.starts[at] as number, block.ends[at] as number];
    this.#keys.push(key);
    this.#flags.push(block.flags[at] as number);
    this.#starts.push(this.#values.length);
    this.#values.copy(block.bytes, start, end);
    this.#ends.push(this.#values.length);
    const bytes = key.length + end - start + ENTRY_BYTES;
    this.bytes += bytes;
    return bytes;
  }

  async sorted(slicer: Slicer): Promise<EntrySource> {
    const { places } = await sortKeys(new TextKeys(this.#keys), slicer);
    return this.#blocks(places);
  }

  async *#blocks(order: Uint32Array): EntrySource {
    const bytes = this.#values.view();
    for (let from = 0; from < order.length; from += BLOCK_ROWS) {
      const places = order.subarray(from, from + BLOCK_ROWS);
      const of = <T>(list: readonly T[]): T[] => Array.from(places, (at) => list[at] as T);
      yield {
        count: places.length,
        keys: of(this.#keys),
        flags: of(this.#flags),
        bytes,
        starts: of(this.#starts),
        ends: of(this.#ends),
      };
    }
  }
}
