/** What a chain of segments holds, as one source: the newest entry of a key, without what was deleted, and each field of a map by itself. */

import { ByteWriter } from "../bytes/byte-writer.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { EntryBlock, EntrySource } from "./entry-block.js";
import { mergeRuns } from "./merge.js";

/** `sources` come oldest first, and nothing stands below them. */
export async function* mergedEntries(sources: readonly EntrySource[]): AsyncGenerator<EntryBlock, void, undefined> {
  const values = new ByteWriter();
  let keys: BinaryKey[] = [];
  let flags: number[] = [];
  let starts: number[] = [];
  let ends: number[] = [];
  const take = (block: EntryBlock, at: number): void => {
    keys.push(block.keys[at] as BinaryKey);
    flags.push(block.flags[at] as number);
    starts.push(values.length);
    values.copy(block.bytes, block.starts[at] as number, block.ends[at] as number);
    ends.push(values.length);
  };
  for await (const _ of mergeRuns(sources, take, { dropTombstones: true, unpacksAll: true })) {
    if (keys.length === 0) continue;
    yield { count: keys.length, keys, flags, bytes: values.view(), starts, ends };
    values.reset();
    [keys, flags, starts, ends] = [[], [], [], []];
  }
}
